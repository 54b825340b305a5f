# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled program on the threads of this machine: memory, tables and one call per step."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence

import numpy as np

from etc_mlir import _etc
from etc_mlir.errors import OptionError, StuckWait, WatchdogError
from etc_mlir.program import Program, Schedule, Slot
from etc_mlir.runtime.abi import EtcContext, EtcStatus
from etc_mlir.trace import RECORD, LaunchInfo, Trace

# bf16 has no numpy type: its bits.
_TYPES = {"f32": np.float32, "bf16": np.uint16, "f16": np.float16, "i64": np.int64, "i32": np.int32}
# What generated code may assume of every buffer; plan-global-memory's unit.
_ALIGNMENT = 256


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
        self.program, self.timeout_s, self._grids = program, timeout_s, grids or {}
        self._code = _etc.CpuEngine(module, program.kernel)
        self._memory = _allocate(program.scratch_bytes)
        self.buffers = {
            b.name: self._provide(b, weights) for b in program.buffers if b.role != "scratch"
        }
        self._slots = np.array([self._address(b) for b in program.buffers], np.int64)
        self._counters = _allocate(max(program.counter_words * 4, 8)).view(np.uint32)
        self._launches = np.ascontiguousarray(program.launches)
        self._events = np.ascontiguousarray(program.events)
        self._symbols = np.zeros(max(len(program.symbols), 1), np.int64)
        self._tables = [
            tuple(np.array(x, t) for x, t in zip(_tables(s), _TABLE_TYPES, strict=True))
            for s in program.schedules
        ]
        self._status = EtcStatus()
        workers = max(s.workers for s in program.schedules)
        most = max(int(s.of(w)[:, 3].sum()) for s in program.schedules for w in range(s.workers))
        self._capacity = most if trace else 0
        self._records = np.zeros((workers, self._capacity), RECORD)
        self._recorded = np.zeros(workers, np.int32)
        self._contexts = (EtcContext * workers)()
        self._extents: tuple[int, ...] = ()
        self.epoch = 0

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
        extents = tuple(symbols.get(name, 1) for name, _, _ in self.program.symbols)
        number = self.program.schedules.index(self.program.schedule_for(extents))
        self._extents, self._symbols[: len(extents)] = extents, extents
        self.epoch = (self.epoch + 1) % 2**32
        self._recorded[:] = 0
        schedule = self.program.schedules[number]
        self._fill(number, schedule)
        self._code.run(ctypes.addressof(self._contexts), schedule.workers)
        if self._status.state:
            error = self._stuck()
            self.rearm()
            raise error

    def rearm(self) -> None:
        """All counters and the status as before the first step; epochs start again at 1."""
        self._counters[:] = 0
        self._status = EtcStatus()
        self.epoch = 0

    def output(self, name: str) -> np.ndarray:
        """A copy of a buffer at the extents of the last step."""
        buffer = self.program.buffers[self.program.slots[name]]
        shape = buffer.extents(self._extents)
        return self.buffers[name].reshape(-1)[: int(np.prod(shape))].reshape(shape).copy()

    def trace(self) -> Trace:
        """The last step's timeline. Raises OptionError."""
        if not self._capacity:
            raise OptionError("the kernel was compiled without trace: compile with trace=True")
        schedule = self.program.schedule_for(self._extents)
        bucket = "x".join(map(str, schedule.bucket))
        known = self._grids.get(bucket) or [()] * len(self.program.launch_names)
        launches = [
            LaunchInfo(name, tuple(grid))
            for name, grid in zip(self.program.launch_names, known, strict=True)
        ]
        counts = self._recorded[: schedule.workers]
        return Trace(launches, [self._records[w, :n].copy() for w, n in enumerate(counts)])

    def _provide(self, buffer: Slot, weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """The memory of a slot: the caller's weight, or zeros for the largest extents."""
        size = buffer.bytes(self.program.largest)
        if buffer.role != "weight":
            return _allocate(size).view(_TYPES[buffer.element])
        if buffer.name not in weights:
            raise OptionError(f"weight '{buffer.name}' is missing")
        weight = weights[buffer.name]
        if weight.nbytes != size or not weight.flags.c_contiguous:
            raise OptionError(
                f"weight '{buffer.name}' has {weight.nbytes} bytes, the program reads {size}; it "
                "must be contiguous"
            )
        return weight

    def _address(self, buffer: Slot) -> int:
        if buffer.role == "scratch":
            return self._memory.ctypes.data + buffer.offset
        return self.buffers[buffer.name].ctypes.data

    def _fill(self, number: int, schedule: Schedule) -> None:
        offsets, runs, bucket = self._tables[number]
        traced = bool(self._capacity)
        for worker in range(schedule.workers):
            context = self._contexts[worker]
            context.buffers = self._slots.ctypes.data
            context.launches = self._launches.ctypes.data
            context.run_offsets = offsets.ctypes.data
            context.runs = runs.ctypes.data
            context.counters = self._counters.ctypes.data
            context.events = self._events.ctypes.data
            context.symbols = self._symbols.ctypes.data
            context.bucket = bucket.ctypes.data
            context.status = ctypes.addressof(self._status)
            context.trace = self._records.ctypes.data if traced else 0
            context.trace_counts = self._recorded.ctypes.data
            context.timeout_ns = int(self.timeout_s * 1e9)
            context.epoch = self.epoch
            context.worker, context.workers = worker, schedule.workers
            context.trace_capacity = self._capacity

    def _stuck(self) -> WatchdogError:
        s, program = self._status, self.program
        return WatchdogError(
            StuckWait(
                s.worker,
                s.launch,
                s.task,
                s.event,
                s.entry,
                s.seen,
                s.wanted,
                program.launch_names[s.launch],
                program.event_names[s.event],
            ),
            self.timeout_s,
        )


_TABLE_TYPES = (np.int32, np.int32, np.int64)


def _tables(schedule: Schedule) -> tuple[Sequence[int], np.ndarray, Sequence[int]]:
    return schedule.offsets, schedule.runs, schedule.bucket


def _allocate(size: int) -> np.ndarray:
    """`size` zero bytes, aligned."""
    raw = np.zeros(size + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + size]
