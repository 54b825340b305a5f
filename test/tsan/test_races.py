# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiled graphs and the CPU runtime under thread sanitizer (`make test-tsan`).

The worker function of a graph is instrumented, linked with the runtime and run by threads, several
steps of different sizes. A race is a missing edge, or a notify or wait without its order. Two
variants must be reported, or the check could not fail: one with a relaxed notify, one without a
wait.
"""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from etc_mlir import _etc

ROOT = Path(__file__).parents[2]
LLVM = Path("/usr/lib/llvm-22/bin")
RACE = "WARNING: ThreadSanitizer: data race"
WORKERS = 3
SIZES = (6, 3, 6, 8, 1)
BYTES = {"f32": 4, "i64": 8, "bf16": 2, "i32": 4}
EXTENT = 64

COPY = """
task.func @{name}(%i: index, %x: {source}, %y: {target}) {{
  linalg.generic {{indexing_maps = [affine_map<(d) -> (0)>, affine_map<(d) -> (d)>],
                  iterator_types = ["parallel"]}}
    ins(%x : {source}) outs(%y : {target}) {{
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  }}
  task.return
}}
"""


def view(size: int) -> str:
    return f"memref<{size}xf32, strided<[1], offset: ?>>"


def random_graph(seed: int) -> str:
    """Launches that read one buffer and update another, each with a tiling of its own."""
    pick = random.Random(seed)
    buffers, funcs, launches = 4, {}, []
    for _ in range(8):
        source, target = pick.sample(range(buffers), 2)
        sizes = pick.choice((8, 16, 32)), pick.choice((8, 16, 32))
        grid = EXTENT // max(sizes)
        name = f"copy_{sizes[0]}_{sizes[1]}"
        # The smaller tile leaves some of its buffer alone.
        funcs[name] = COPY.format(name=name, source=view(sizes[0]), target=view(sizes[1]))
        launches.append(
            f"  task.launch @{name} grid(()[n] -> ({grid}))\n"
            f"    reads(%b{source} at <(i) -> (i * {sizes[0]}) sizes [{sizes[0]}]>"
            f" : memref<{EXTENT}xf32>)\n"
            f"    writes(%b{target} at <(i) -> (i * {sizes[1]}) sizes [{sizes[1]}]>"
            f" : memref<{EXTENT}xf32>) waits() notifies()"
        )
    shape = f"shape affine_map<()[n] -> ({EXTENT})> : memref<{EXTENT}xf32>"
    scratch = "\n".join(f'  %b{b} = task.scratch "b{b}" {shape}' for b in range(buffers))
    body = "\n".join(launches)
    return (
        "".join(funcs.values())
        + f'task.graph @g symbols [#task.symbol<"n", 1 to 8>] {{\n{scratch}\n{body}\n}}\n'
    )


# Rows of 32 elements, their number symbolic: the counts of the second event follow it.
SYMBOLIC = f"""
task.func @fill(%i: index, %y: memref<1x32xf32, strided<[32, 1], offset: ?>>) {{
  %one = arith.constant 1.0 : f32
  linalg.fill ins(%one : f32) outs(%y : memref<1x32xf32, strided<[32, 1], offset: ?>>)
  task.return
}}
task.func @sum(%x: memref<?x32xf32>, %y: memref<32xf32>) {{
  linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>],
                  iterator_types = ["reduction", "parallel"]}}
    ins(%x : memref<?x32xf32>) outs(%y : memref<32xf32>) {{
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  }}
  task.return
}}
{COPY.format(name="tail", source="memref<32xf32>", target=view(16))}
task.graph @g symbols [#task.symbol<"n", 1 to 8>] {{
  %x = task.scratch "x" shape affine_map<()[n] -> (n, 32)> : memref<?x32xf32>
  %y = task.scratch "y" shape affine_map<()[n] -> (32)> : memref<32xf32>
  %z = task.argument "z" output shape affine_map<()[n] -> (64)> : memref<64xf32>
  task.launch @fill grid(()[n] -> (n)) reads()
    writes(%x at <(i) -> (i, 0) sizes [1, *]> : memref<?x32xf32>) waits() notifies()
  task.launch @sum grid(()[n] -> ()) reads(%x at <() -> (0, 0) sizes [*, *]> : memref<?x32xf32>)
    writes(%y at <() -> (0) sizes [*]> : memref<32xf32>) waits() notifies()
  task.launch @tail grid(()[n] -> (4)) reads(%y at <(i) -> (0) sizes [*]> : memref<32xf32>)
    writes(%z at <(i) -> (i * 16) sizes [16]> : memref<64xf32>) waits() notifies()
}}
"""


def compile_graph(
    text: str,
    policy: str,
    *,
    drop_wait: bool = False,
    many_steps: bool = False,
    drop_join: bool = False,
) -> tuple[dict[str, Any], str]:
    """The program's tables and the worker in the llvm dialect."""
    context = _etc.Context()
    module = _etc.Module.parse(context, text)
    module.run(f"builtin.module(pipeline-events{{steps={str(many_steps).lower()}}})")
    if drop_wait:
        events = str(module)
        found = list(re.finditer(r"waits\((%[^()]*(?:\([^()]*\)[^()]*)*)\) notifies", events))
        assert found, "the graph has no wait to drop"
        last = found[-1]
        events = events[: last.start()] + "waits() notifies" + events[last.end() :]
        module = _etc.Module.parse(context, events)
    target = ROOT / "python/etc_mlir/targets/cpu.json"
    options = f"workers={WORKERS} policy={policy} target={target} buckets=4,8"
    module.run(f"builtin.module(pipeline-schedule{{{options}}},pipeline-persistent)")
    if drop_join:
        # The one wait on an event without dimensions that is no edge of a launch.
        joined = r"event\.wait %\w+\[\] count\(%c3_i32\) : !event\.tensor<>\n(\s+scf\.yield)"
        text, count = re.subn(joined, r"arith.constant true\n\1", str(module))
        assert count == 1, f"{count} waits between steps"
        module = _etc.Module.parse(context, text)
    (program,) = module.programs()
    module.run("builtin.module(pipeline-cpu)")
    for op in module.body.operations:
        if op.name == "task.program":
            op.erase()
    return program, str(module)


def numbers(values: Any) -> str:
    return "{" + ", ".join(str(v) for v in values) + "}"


def write_tables(path: Path, program: dict[str, Any], per_launch: int) -> None:
    """The tables as initializers for driver.cpp."""
    most = [symbol["max"] for symbol in program["symbols"]]
    buffers = []
    for buffer in program["buffers"]:
        size = BYTES[buffer["dtype"]]
        for extent in buffer["shape"]([], most):
            size *= extent
        buffers.append(numbers([size, buffer["offset"] if buffer["role"] == "scratch" else -1]))
    schedules = [
        "{" + ", ".join(numbers(s[key]) for key in ("bucket", "offsets", "runs")) + "}"
        for s in program["schedules"]
    ]
    steps = []
    for size in SIZES:
        bounds = [s["bucket"][0] for s in program["schedules"]]
        steps.append(f"{{{numbers([size] * len(most))}, {sum(b < size for b in bounds)}}}")
    path.write_text(
        f"#define ETC_WORKER {program['worker']}\n"
        f"static const size_t stepsPerLaunch = {per_launch};\n"
        f"static const int64_t scratchBytes = {program['scratch_bytes']};\n"
        f"static const int64_t counterWords = {program['counter_words']};\n"
        f"static const std::vector<Buffer> buffers = {numbers(buffers)};\n"
        f"static const std::vector<int32_t> launches = {numbers(program['launches'])};\n"
        f"static const std::vector<int32_t> events = {numbers(program['events'])};\n"
        f"static const std::vector<Schedule> schedules = {numbers(schedules)};\n"
        f"static const std::vector<Step> steps = {numbers(steps)};\n"
    )


def tool(*command: object, text: str | None = None) -> str:
    done = subprocess.run(
        [str(c) for c in command], input=text, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CPU runtime, instrumented."""
    found = tmp_path_factory.mktemp("runtime") / "runtime.o"
    flags = ("-std=c++17", "-O1", "-g", "-fsanitize=thread", "-c", f"-I{ROOT}")
    include = f"-I{ROOT / 'runtime/include'}"
    tool(LLVM / "clang++", *flags, include, ROOT / "lib/Target/CpuRuntime.cpp", "-o", found)
    return found


def run(
    text: str,
    policy: str,
    folder: Path,
    runtime: Path,
    *,
    relaxed: bool = False,
    drop: bool = False,
    per_launch: int = 1,
    drop_join: bool = False,
) -> str:
    """What the instrumented program prints."""
    program, module = compile_graph(
        text, policy, drop_wait=drop, many_steps=per_launch > 1, drop_join=drop_join
    )
    write_tables(folder / "program.inc", program, per_launch)
    code = tool(LLVM / "mlir-translate", "--mlir-to-llvmir", text=module)
    if relaxed:
        code, count = re.subn(r"(atomicrmw add ptr .*) release,", r"\1 monotonic,", code)
        assert count, "no notify to relax"
    passes = "-passes=tsan-module,function(tsan)"
    forced = tool(
        LLVM / "opt", "-passes=forceattrs", "-force-attribute=sanitize_thread", "-S", text=code
    )
    (folder / "worker.ll").write_text(tool(LLVM / "opt", passes, "-S", text=forced))
    tool(LLVM / "clang", "-O1", "-c", folder / "worker.ll", "-o", folder / "worker.o")
    flags = ("-std=c++17", "-O1", "-g", "-fsanitize=thread", f"-I{folder}")
    include = f"-I{ROOT / 'runtime/include'}"
    objects = (folder / "worker.o", runtime)
    driver = ROOT / "test/tsan/driver.cpp"
    tool(LLVM / "clang++", *flags, include, driver, *objects, "-o", folder / "program")
    done = subprocess.run([folder / "program"], capture_output=True, text=True, timeout=300)
    return done.stdout + done.stderr


@pytest.mark.parametrize("policy", ["round-robin", "list"])
@pytest.mark.parametrize("seed", range(3))
def test_random_graph_has_no_race(seed: int, policy: str, tmp_path: Path, runtime: Path) -> None:
    assert run(random_graph(seed), policy, tmp_path, runtime) == "finished\n"


@pytest.mark.parametrize("policy", ["round-robin", "list"])
def test_symbolic_counts_have_no_race(policy: str, tmp_path: Path, runtime: Path) -> None:
    assert run(SYMBOLIC, policy, tmp_path, runtime) == "finished\n"


@pytest.mark.parametrize("text", [random_graph(0), SYMBOLIC], ids=["random", "symbolic"])
def test_relaxed_notify_is_reported(text: str, tmp_path: Path, runtime: Path) -> None:
    assert RACE in run(text, "round-robin", tmp_path, runtime, relaxed=True)


@pytest.mark.parametrize("text", [random_graph(0), SYMBOLIC], ids=["random", "symbolic"])
def test_dropped_wait_is_reported(text: str, tmp_path: Path, runtime: Path) -> None:
    assert RACE in run(text, "round-robin", tmp_path, runtime, drop=True)


@pytest.mark.parametrize("policy", ["round-robin", "list"])
@pytest.mark.parametrize("text", [random_graph(1), SYMBOLIC], ids=["random", "symbolic"])
def test_steps_of_one_launch_have_no_race(
    text: str, policy: str, tmp_path: Path, runtime: Path
) -> None:
    assert run(text, policy, tmp_path, runtime, per_launch=len(SIZES)) == "finished\n"


@pytest.mark.parametrize("text", [random_graph(1), SYMBOLIC], ids=["random", "symbolic"])
def test_dropped_edge_between_steps_is_reported(text: str, tmp_path: Path, runtime: Path) -> None:
    found = run(text, "round-robin", tmp_path, runtime, per_launch=len(SIZES), drop_join=True)
    assert RACE in found
