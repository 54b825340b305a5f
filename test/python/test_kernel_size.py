# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The text of a worker does not grow with the number of layers; its tables do."""

from __future__ import annotations

import numpy as np
import pytest

from etc_mlir import _etc
from etc_mlir.runtime_cpu import CpuProgram

HEADER = """
task.func @double(%i: index, %x: memref<4xf32, strided<[1], offset: ?>>,
                  %y: memref<4xf32, strided<[1], offset: ?>>) {
  linalg.generic {indexing_maps = [affine_map<(k) -> (k)>, affine_map<(k) -> (k)>],
                  iterator_types = ["parallel"]}
    ins(%x : memref<4xf32, strided<[1], offset: ?>>)
    outs(%y : memref<4xf32, strided<[1], offset: ?>>) {
  ^bb0(%a: f32, %old: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  }
  task.return
}
"""
REGION = "<(i) -> (i * 4) sizes [4]>"


def chain(layers: int) -> str:
    """Each layer doubles what the one before has made, in sixteen tasks of four elements."""
    lines = [
        f'%v{n} = task.scratch "h{n}" shape affine_map<() -> (64)> at {256 * n} : memref<64xf32>'
        for n in range(1, layers)
    ]
    lines += [
        f'%e{n} = event.create "e{n}" shape affine_map<() -> (16)> count affine_map<() -> (1)> '
        "reuse(monotonic) : !event.tensor<16>"
        for n in range(layers + 1)
    ]
    for n in range(layers):
        waits = f"%e{n} at (i) -> (i) guards 0 : !event.tensor<16>" if n else ""
        lines.append(
            f"task.launch @double grid(() -> (16)) reads(%v{n} at {REGION} : memref<64xf32>) "
            f"writes(%v{n + 1} at {REGION} : memref<64xf32>) waits({waits}) "
            f"notifies(%e{n + 1} at (i) -> (i) : !event.tensor<16>)"
        )
    ports = (
        '%v0 = task.argument "x" input shape affine_map<() -> (64)> : memref<64xf32>\n'
        f'%v{layers} = task.argument "y" output shape affine_map<() -> (64)> : memref<64xf32>\n'
    )
    return HEADER + "task.graph @chain symbols [] {\n" + ports + "\n".join(lines) + "\n}\n"


def build(layers: int) -> _etc.Module:
    module = _etc.Module.parse(_etc.Context(), chain(layers), f"chain{layers}.mlir")
    module.run("pipeline-schedule{workers=3},pipeline-persistent")
    return module


def worker_text(module: _etc.Module) -> str:
    """The worker."""
    (worker,) = (
        op for op in module.body.operations if op.attributes.get("sym_name") == "chain_worker"
    )
    return str(worker)


def test_text_is_that_of_two_layers() -> None:
    assert worker_text(build(2)) == worker_text(build(36))


@pytest.mark.parametrize("layers", [2, 36])
def test_every_layer_runs(layers: int) -> None:
    program = CpuProgram(build(layers))
    assert len(program._launches) == 5 * layers
    x, y = np.arange(64, dtype=np.float32), np.full(64, np.nan, np.float32)
    program.bind(x=x, y=y)
    for _ in range(3):
        y[:] = np.nan
        program.step()
        assert (y == x * 2.0**layers).all()
