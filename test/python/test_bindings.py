# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The native module: parsing, walking, building, passes and their errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from etc_mlir import _etc
from etc_mlir.errors import CompileError

ETC_OPT = Path(__file__).parents[2] / "build" / "tools" / "etc-opt" / "etc-opt"

MAPS = """
func.func @f(%a: memref<?x4xf32>, %i: index) -> index {
  %c = arith.constant 7 : index
  %d = affine.apply affine_map<(d)[s] -> (d ceildiv s + d mod 4)>(%i)[%c]
  return %d : index
}
"""


@pytest.fixture(scope="module")
def context() -> _etc.Context:
    return _etc.Context()


def test_walk_keeps_identity_and_reads_attributes(context: _etc.Context) -> None:
    module = _etc.Module.parse(context, MAPS)
    (func,) = module.body.operations
    block = func.regions[0].blocks[0]
    constant, apply, ret = block.operations
    assert (func.name, func.attributes["sym_name"]) == ("func.func", "f")
    assert block.arguments[0].shape == [None, 4] and block.arguments[0].dtype == "f32"
    assert constant.attributes == {"value": 7}
    assert apply.operands == [block.arguments[1], constant.results[0]]
    assert len({apply.operands[1], constant.results[0]}) == 1
    assert ret.operands[0].owner == apply and ret.parent == func
    assert apply.attributes["map"]([10], [7]) == [2 + 2]


def test_affine_map_refuses_what_it_cannot_evaluate(context: _etc.Context) -> None:
    module = _etc.Module.parse(context, MAPS)
    apply = module.body.operations[0].regions[0].blocks[0].operations[1]
    with pytest.raises(ValueError, match="too few"):
        apply.attributes["map"]([1])
    with pytest.raises(ValueError, match="not positive"):
        apply.attributes["map"]([1], [0])


def test_a_task_graph_can_be_built(context: _etc.Context) -> None:
    module = _etc.Module.empty(context)
    func = module.body.append(
        "task.func",
        attributes={"sym_name": '"zero"', "function_type": "(index, memref<4xf32>) -> ()"},
        regions=1,
    )
    func.regions[0].append_block(["index", "memref<4xf32>"]).append("task.return")
    graph = module.body.append(
        "task.graph", attributes={"sym_name": '"g"', "symbols": "[]"}, regions=1
    )
    block = graph.regions[0].append_block()
    a = block.append(
        "task.argument",
        attributes={
            "name": '"a"',
            "role": f"{_etc.ROLES.index('output')} : i32",
            "shape": "affine_map<() -> (4)>",
        },
        results=["memref<4xf32>"],
    )
    block.append(
        "task.launch",
        [a.results[0]],
        {
            "body": "@zero",
            "grid": "affine_map<() -> (1)>",
            "read_regions": "[]",
            "write_regions": "[#task.region<(i) -> (0) sizes [*]>]",
            "wait_maps": "[]",
            "guards": "array<i64>",
            "notify_maps": "[]",
            "operandSegmentSizes": "array<i32: 0, 1, 0, 0>",
        },
        location="model.layer",
    )
    module.verify()
    text = str(module)
    assert 'task.argument "a" output' in text and "task.launch @zero" in text
    assert '"model.layer"' in module.str(debug=True)


def test_building_reports_what_is_wrong(context: _etc.Context) -> None:
    module = _etc.Module.empty(context)
    with pytest.raises(ValueError, match=r"no operation named 'task\.lunch'"):
        module.body.append("task.lunch")
    with pytest.raises(CompileError, match="type 'memref<'"):
        module.body.append("task.argument", results=["memref<"])
    module.body.append("task.schedule")
    with pytest.raises(CompileError, match=r"task\.schedule"):
        module.verify()


def test_what_is_used_is_not_erased(context: _etc.Context) -> None:
    module = _etc.Module.parse(context, MAPS)
    (func,) = module.body.operations
    constant = func.regions[0].blocks[0].operations[0]
    with pytest.raises(ValueError, match="still has uses"):
        constant.erase()
    func.erase()
    assert module.body.operations == []


def test_parse_error_has_a_location(context: _etc.Context) -> None:
    with pytest.raises(CompileError) as error:
        _etc.Module.parse(context, "func.func @f(", "broken.mlir")
    assert error.value.phase == "parse"
    assert error.value.locations == ('loc("broken.mlir":1:13)',)


def test_failed_pass_can_be_repeated(context: _etc.Context) -> None:
    module = _etc.Module.parse(context, "task.graph @lonely symbols [] {}", "lonely.mlir")
    before = str(module)
    with pytest.raises(CompileError, match=r"has no task\.schedule") as error:
        module.run("canonicalize,lower-to-persistent", phase="persistent")
    assert error.value.phase == "persistent" and str(module) == before
    assert error.value.reproducer is not None and error.value.command is not None
    repeated = subprocess.run(
        error.value.command.replace("etc-opt", str(ETC_OPT), 1),
        shell=True,
        capture_output=True,
        text=True,
    )
    error.value.reproducer.unlink()
    assert repeated.returncode == 1 and "has no task.schedule" in repeated.stderr


def test_unknown_pass(context: _etc.Context) -> None:
    with pytest.raises(CompileError, match="does not refer to a registered pass"):
        _etc.Module.empty(context).run("no-such-pass")


def test_gpu_objects_are_bytes(context: _etc.Context) -> None:
    module = _etc.Module.parse(
        context, 'gpu.binary @k [#gpu.object<#nvvm.target, assembly = "ptx\\00">]'
    )
    assert module.gpu_objects() == [{"name": "k", "format": "assembly", "data": b"ptx\0"}]


def test_engine_needs_the_llvm_dialect(context: _etc.Context) -> None:
    module = _etc.Module.parse(context, "task.graph @g symbols [] {}")
    with pytest.raises(CompileError, match="code generation for the CPU"):
        _etc.CpuEngine(module, "g_worker")


def test_pipelines_are_known_before_anything_is_parsed() -> None:
    lines = (
        "from etc_mlir import _etc",
        "assert _etc.pipeline_error('pipeline-gpu{prefetch=false}') == ''",
        "assert 'bars=true' in _etc.pipeline_error('pipeline-events{bars=true}')",
    )
    subprocess.run([sys.executable, "-c", "; ".join(lines)], check=True)
