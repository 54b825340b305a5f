# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled program on the threads of this machine: memory, tables and one call per step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from etc_mlir import _etc
from etc_mlir.errors import OptionError
from etc_mlir.program import Program, Slot
from etc_mlir.runtime_cpu import CpuProgram, allocate
from etc_mlir.trace import LaunchInfo, Trace

# bf16 has no numpy type: its bits.
_TYPES = {"f32": np.float32, "bf16": np.uint16, "f16": np.float16, "i64": np.int64, "i32": np.int32}


class CpuEngine:
    """Runs steps one after the other. Not for use by several threads at a time."""

    def __init__(
        self,
        program: Program,
        module: _etc.Module,
        weights: Mapping[str, np.ndarray],
        *,
        timeout_s: float,
        trace: bool = False,
        grids: Mapping[str, Sequence[Sequence[int]]] | None = None,
    ) -> None:
        """module: in the llvm dialect; weights: contiguous, bits of bf16 as uint16; grids: bucket,
        as "4x1" -> the grid of each launch, for the coordinates in a trace.

        Raises OptionError for a weight that is missing or has another size.
        """
        self.program, self._grids, self._traced = program, grids or {}, trace
        most = max(int(s.of(w)[:, 3].sum()) for s in program.schedules for w in range(s.workers))
        self._cpu = CpuProgram(
            module, program.name, timeout_s=timeout_s, trace_capacity=most if trace else 0
        )
        self.buffers = {
            b.name: self._provide(b, weights) for b in program.buffers if b.role != "scratch"
        }
        self._cpu.bind_all(self.buffers)
        self._extents: tuple[int, ...] = ()

    def step(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """One step; see `etc_mlir.model.Engine`. The extents T and R are those of the inputs."""
        for name, value in inputs.items():
            self.buffers[name].reshape(-1)[: value.size] = value.reshape(-1)
        self.run({"T": len(inputs["ids"]), "R": len(inputs["rows"])})
        return self.output("tokens")

    def logits(self) -> np.ndarray:
        """The logits of the last step, f32 [R, V]."""
        found = self.output("logits")
        if found.dtype == np.uint16:
            return (found.astype(np.uint32) << 16).view(np.float32)
        return found.astype(np.float32)

    def run(self, symbols: Mapping[str, int]) -> None:
        """One step on what is in `buffers`. Raises WatchdogError; the engine stays usable."""
        extents = {name: symbols.get(name, 1) for name, _, _ in self.program.symbols}
        self._extents = tuple(extents.values())
        self._cpu.step(extents)

    def output(self, name: str) -> np.ndarray:
        """A copy of a buffer at the extents of the last step."""
        buffer = self.program.buffers[self.program.slots[name]]
        shape = buffer.extents(self._extents)
        return self.buffers[name].reshape(-1)[: int(np.prod(shape))].reshape(shape).copy()

    def trace(self) -> Trace:
        """The last step's timeline. Raises OptionError."""
        if not self._traced:
            raise OptionError("the kernel was compiled without trace: compile with trace=True")
        schedule = self.program.schedule_for(self._extents)
        bucket = "x".join(map(str, schedule.bucket))
        known = self._grids.get(bucket) or [()] * len(self.program.launch_names)
        launches = [
            LaunchInfo(name, tuple(grid))
            for name, grid in zip(self.program.launch_names, known, strict=True)
        ]
        return Trace(launches, self._cpu.trace())

    def _provide(self, buffer: Slot, weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """The memory of a slot: the caller's weight, or zeros for the largest extents."""
        size = buffer.bytes(self.program.largest)
        if buffer.role != "weight":
            return allocate(size).view(_TYPES[buffer.element])
        if buffer.name not in weights:
            raise OptionError(f"weight '{buffer.name}' is missing")
        weight = weights[buffer.name]
        if weight.nbytes != size or not weight.flags.c_contiguous:
            raise OptionError(
                f"weight '{buffer.name}' has {weight.nbytes} bytes, the program reads {size}; it "
                "must be contiguous"
            )
        return weight
