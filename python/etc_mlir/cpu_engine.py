# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A decoder's step on the threads of this machine: its inputs, cache and outputs as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from etc_mlir import _etc
from etc_mlir.errors import OptionError
from etc_mlir.program import Program
from etc_mlir.runtime_cpu import CpuProgram
from etc_mlir.trace import LaunchInfo, Trace

# bf16 has no numpy type: its bits.
_TYPES = {"f32": np.float32, "bf16": np.uint16, "f16": np.float16, "i64": np.int64, "i32": np.int32}


class CpuEngine:
    """See `etc_mlir.model.Engine`. Not for use by several threads at a time."""

    def __init__(
        self,
        program: Program,
        module: _etc.Module,
        weights: Mapping[str, Any],
        *,
        trace: bool = False,
        grids: Mapping[str, Sequence[Sequence[int]]] | None = None,
    ) -> None:
        """module: in the llvm dialect; weights: tensors or arrays by name; trace: record every
        task; grids: bucket, as "4x1" -> the grid of each launch, for the coordinates in a trace.

        Raises OptionError for a weight that does not fit, CompileError.
        """
        self.program, self._grids = program, grids or {}
        most = max(int(s.of(w)[:, 3].sum()) for s in program.schedules for w in range(s.workers))
        self._traced = trace
        self.runtime = CpuProgram(module, trace_capacity=most if trace else 0)
        self.buffers = {
            b.name: np.zeros(b.bytes(program.largest), np.uint8).view(_TYPES[b.element])
            for b in program.buffers
            if b.role in ("input", "output", "state")
        }
        self.runtime.bind_all({**weights, **self.buffers})
        self._extents: tuple[int, ...] = ()

    def step(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """One step on ids, seq, pos, block_table and rows, whose extents are T and R."""
        for name, value in inputs.items():
            self.buffers[name][: value.size] = value.reshape(-1)
        extents = {"T": len(inputs["ids"]), "R": len(inputs["rows"])}
        symbols = {name: extents[name] for name, _, _ in self.program.symbols}
        self._extents = tuple(symbols.values())
        self.runtime.step(symbols)
        return self.output("tokens")

    def output(self, name: str) -> np.ndarray:
        """A copy of a buffer at the extents of the last step."""
        shape = self.program.buffers[self.program.slots[name]].extents(self._extents)
        return self.buffers[name][: int(np.prod(shape))].reshape(shape).copy()

    def logits(self) -> np.ndarray:
        """The logits of the last step, f32 [R, V]."""
        found = self.output("logits")
        if found.dtype == np.uint16:
            return (found.astype(np.uint32) << 16).view(np.float32)
        return found.astype(np.float32)

    def trace(self) -> Trace:
        """The last step's timeline. Raises OptionError."""
        if not self._traced:
            raise OptionError("the kernel was compiled without trace: compile with trace=True")
        bucket = "x".join(map(str, self.program.schedule_for(self._extents).bucket))
        grids = self._grids.get(bucket) or [()] * len(self.program.launch_names)
        launches = [
            LaunchInfo(name, tuple(grid))
            for name, grid in zip(self.program.launch_names, grids, strict=True)
        ]
        return Trace(launches, self.runtime.trace())
