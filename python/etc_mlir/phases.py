# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The phases of docs/Architecture.md, run one after the other on one module.

A phase is a named pipeline of `etc-opt` (lib/Pipelines), so every one of them can be repeated on a
file. What each leaves is written to a folder on request, and what a failing one was given always.
"""

from __future__ import annotations

import dataclasses
import functools
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from etc_mlir import _etc
from etc_mlir.errors import OptionError
from etc_mlir.options import CompileOptions
from etc_mlir.report import Report, silent

# The phases after the tables are made.
CODE = frozenset({"llvm", "ptx"})


@dataclasses.dataclass(frozen=True)
class Phase:
    """name: of the level that it leaves; pipeline: with its options; title: for people."""

    name: str
    pipeline: str
    title: str

    @property
    def flag(self) -> str:
        """The pipeline as an argument of etc-opt in a shell."""
        name, brace, rest = self.pipeline.partition("{")
        return f'--{name}="{rest[:-1]}"' if brace else f"--{name}"

    def with_option(self, name: str, value: str) -> Phase:
        """The same with an option of the pipeline set. Raises OptionError if it has none such or
        it takes no such value."""
        pipeline, _, rest = self.pipeline.partition("{")
        values = dict(part.split("=", 1) for part in rest.removesuffix("}").split())
        text = " ".join(f"{k}={v}" for k, v in {**values, name: value}.items())
        if error := _etc.pipeline_error(f"{pipeline}{{{text}}}"):
            raise OptionError(f"'{pipeline}:{name}={value}' cannot be set: {error}")
        return dataclasses.replace(self, pipeline=f"{pipeline}{{{text}}}")


def phases(options: CompileOptions) -> list[Phase]:
    """The phases from an imported step to what the target's runtime takes, with the options that
    `options.passes` sets. Raises OptionError."""
    found = _defaults(options)
    for text in options.passes:
        pipeline, _, option = text.partition(":")
        names = [phase.pipeline.partition("{")[0] for phase in found]
        if pipeline not in names:
            raise OptionError(
                f"'{text}': target '{options.target}' has no pipeline '{pipeline}', but "
                f"{', '.join(names)}"
            )
        name, _, value = option.partition("=")
        number = names.index(pipeline)
        found[number] = found[number].with_option(name, value)
    return found


def _defaults(options: CompileOptions) -> list[Phase]:
    target = options.find_target()
    workers, gpu = options.worker_count, target.codegen == "nvvm"
    chosen = dict(options.tiles)
    tiles = ",".join(f"{name}:{tile}" for name, tile in chosen.items())
    tile = f" tile={tiles}" if tiles else ""
    memory = f"shared-bytes={target.shared_bytes} tokens={options.max_batch}"
    if gpu:
        # 16 rows are what the tensor cores take at a time.
        tile += f" fuse=true linear-rows=16 {memory}"
    handoffs = (
        f"pipeline-handoffs{{workers={workers} tokens={options.max_batch} target={target.path}}}"
    )
    schedule = f"workers={workers} policy={options.schedule_policy} target={target.path}"
    found = [
        Phase("tensor", "pipeline-import", "operators on tensors"),
        Phase("tasks", f"pipeline-decompose{{workers={workers}{tile}}}", "cutting into tasks"),
        *([Phase("handoffs", handoffs, "choosing hand-offs")] if gpu else []),
        Phase("events", "pipeline-events{steps=true}", "inferring events"),
        Phase("schedule", f"pipeline-schedule{{{schedule}}}", "scheduling"),
    ]
    if target.codegen == "cpu":
        return [
            *found,
            Phase("persistent", "pipeline-persistent", "the persistent kernel"),
            Phase("llvm", "pipeline-cpu", "code for threads"),
        ]
    machine = f"chip={target.chip} features={target.features} {memory}"
    roles = f"roles=loader,consumer trace={str(options.trace).lower()}"
    return [
        *found,
        Phase("weights", "pipeline-weights", "streaming weights"),
        Phase("persistent", f"pipeline-persistent{{{roles}}}", "the persistent kernel"),
        Phase("ptx", f"pipeline-gpu{{{machine}}}", "PTX"),
    ]


def run(
    text: str,
    wanted: Sequence[Phase],
    *,
    keep: Path | None = None,
    report: Report = silent,
    observe: Callable[[Phase, _etc.Module], None] | None = None,
) -> _etc.Module:
    """The module after all phases. keep: a folder for the IR after each. observe: sees each.

    Raises CompileError, which carries the file that holds the failing phase's input and the etc-opt
    line that repeats the failure.
    """
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / "0-imported.mlir").write_text(text, encoding="utf-8")
    module = parse(text)
    given = "0-imported.mlir"
    for number, phase in enumerate(wanted, 1):
        report(phase.title, number, len(wanted) + 2)
        module.run(phase.pipeline, phase=phase.name)
        if observe:
            observe(phase, module)
        if keep:
            name = f"{number}-{phase.name}.mlir"
            line = f"// etc-opt {given} {phase.flag}\n"
            (keep / name).write_text(line + str(module), encoding="utf-8")
            given = name
    return module


def tables(module: _etc.Module) -> bytes:
    """The tables of the module's program: the JSON of `export-program`. Raises CompileError."""
    with tempfile.TemporaryDirectory(prefix="etc-") as folder:
        path = Path(folder) / "program.json"
        module.run(f"export-program{{output={path}}}", phase="tables")
        return path.read_bytes()


def grids(module: _etc.Module) -> dict[str, list[list[int]]]:
    """Bucket, as "4x1" -> the extents of the grid of each launch, of a scheduled module."""
    found: dict[str, list[list[int]]] = {}
    launches = [
        launch
        for graph in module.body.operations
        if graph.name == "task.graph"
        for launch in graph.regions[0].blocks[0].operations
        if launch.name == "task.launch"
    ]
    for schedule in module.body.operations:
        if schedule.name == "task.schedule":
            bucket = schedule.attributes["bucket"]
            maps = (launch.attributes["grid"] for launch in launches)
            found["x".join(map(str, bucket))] = [m([], bucket[: m.num_symbols]) for m in maps]
    return found


def remaining(text: str, options: CompileOptions) -> list[Phase]:
    """The phases that a file still has to go through, by the level that it is at."""
    wanted = phases(options)
    names = [phase.name for phase in wanted]
    levels = {
        "ptx": "gpu.binary",
        "llvm": "llvm.func @",
        "persistent": "task.program",
        "schedule": "task.schedule",
        "events": "event.create",
        "tasks": "task.graph",
        "tensor": "task.symbols",
    }
    for name, mark in levels.items():
        if name in names and mark in text:
            return wanted[names.index(name) + 1 :]
    return wanted


def parse(text: str) -> _etc.Module:
    """Raises CompileError."""
    return _etc.Module.parse(_context(), text)


@functools.cache
def _context() -> _etc.Context:
    return _etc.Context()
