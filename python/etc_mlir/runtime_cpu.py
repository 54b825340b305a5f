# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A program of the persistent level on the threads of this machine.

Owns the scratch memory, the counters and the tables; the caller owns the buffers and binds them by
name. One `step` starts one thread per worker and joins them: that is what orders a step before the
next one, and the clearing of a bank before its use.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from etc_mlir import _etc, knobs
from etc_mlir.errors import OptionError, StuckWait, WatchdogError
from etc_mlir.runtime.abi import EtcContext, EtcStatus
from etc_mlir.trace import RECORD

EPOCHS = 2**32
# What generated code may assume of every buffer; the unit of plan-global-memory.
_ALIGNMENT = 256
_BYTES = {"f64": 8, "f32": 4, "f16": 2, "bf16": 2, "i64": 8, "i32": 4, "i16": 2, "i8": 1}


class Tensor(Protocol):
    """What of a torch.Tensor is needed to bind it, so that torch is not."""

    def data_ptr(self) -> int: ...
    def is_contiguous(self) -> bool: ...
    def numel(self) -> int: ...
    def element_size(self) -> int: ...


@dataclass(frozen=True)
class _Bound:
    """The memory of a buffer; `owner` keeps it alive."""

    owner: Any
    address: int
    nbytes: int


@dataclass(frozen=True)
class _Schedule:
    bucket: np.ndarray  # i64 [symbols]
    offsets: np.ndarray  # i32 [workers + 1]
    runs: np.ndarray  # i32 [runs, 4]: launch, first, stride, count

    @property
    def workers(self) -> int:
        return len(self.offsets) - 1


class CpuProgram:
    """One program of a module. Steps follow each other; not for several threads at a time."""

    def __init__(
        self,
        module: _etc.Module,
        name: str | None = None,
        *,
        timeout_s: float | None = None,
        trace_capacity: int = 0,
    ) -> None:
        """module: at the persistent level, or already in the llvm dialect; it is not changed.
        name: of its task.program, if it has several. timeout_s: bound of one wait, by default the
        knob ETC_TIMEOUT_S. trace_capacity: tasks that a worker can record in one step.

        Raises OptionError, CompileError.
        """
        self._tables = _find_program(module, name)
        self.timeout_s = knobs.TIMEOUT_S.get() if timeout_s is None else timeout_s
        code = module
        if any(op.name == "func.func" for op in module.body.operations):
            code = module.clone()
            code.run("pipeline-cpu", phase="llvm")
        self._engine = _etc.CpuEngine(code, self._tables["worker"])
        self.symbols: list[dict[str, Any]] = self._tables["symbols"]
        self.buffers: list[dict[str, Any]] = self._tables["buffers"]
        self._by_name = {b["name"]: b for b in self.buffers if b["role"] != "scratch"}
        self._bound: dict[str, _Bound] = {}
        self._launches = np.array(self._tables["launches"] or [0], np.int32)
        self.events = np.array(self._tables["events"], np.int32).reshape(-1, 4)
        self.schedules = [
            _Schedule(
                np.array(s["bucket"] or [0], np.int64),
                np.array(s["offsets"], np.int32),
                np.array(s["runs"], np.int32).reshape(-1, 4),
            )
            for s in self._tables["schedules"]
        ]
        self._scratch = allocate(self._tables["scratch_bytes"])
        self.counters = allocate(4 * self._tables["counter_words"]).view(np.uint32)
        self._status = EtcStatus()
        self.many_steps = "many_steps" in self._tables
        workers = max(s.workers for s in self.schedules)
        self._records = np.zeros((workers, trace_capacity), RECORD)
        self._recorded = np.zeros(workers, np.int32)
        self._last_workers = 0
        self.set_epoch(0)

    def bind(self, **buffers: np.ndarray | Tensor) -> None:
        """Keeps the memory of buffers for later steps; see `bind_all`."""
        self.bind_all(buffers)

    def bind_all(self, buffers: Mapping[str, np.ndarray | Tensor]) -> None:
        """Keeps the memory of buffers, by name, for later steps: contiguous arrays or tensors of
        the buffer's element size, large enough for the extents of every step. Raises OptionError.
        """
        for name, memory in buffers.items():
            if name not in self._by_name:
                raise OptionError(f"the program has no buffer '{name}'")
            self._bound[name] = _as_memory(name, memory, self._by_name[name]["dtype"])

    def step(self, symbols: Mapping[str, int] | None = None) -> None:
        """Runs one step at these extents, by symbol.

        Raises OptionError before anything runs; WatchdogError if a wait exceeded its bound, which
        voids the outputs of this step alone: the next one starts from fresh counters.
        """
        self.launch([(symbols or {}, {})])

    def launch(
        self, steps: Sequence[tuple[Mapping[str, int], Mapping[str, np.ndarray | Tensor]]]
    ) -> None:
        """Runs steps one after the other, the workers started once for all of them. A step is its
        extents, by symbol, and the memory of buffers that are not those bound, by name.

        Raises OptionError before anything runs, also of a program that was compiled for one step a
        launch; WatchdogError, which voids the outputs of all of them.
        """
        if not steps:
            return
        if len(steps) > 1 and not self.many_steps:
            raise OptionError(
                f"{len(steps)} steps in one launch, but no event orders one after the other: "
                "compile the graph with order-steps"
            )
        if self.epoch + len(steps) >= EPOCHS and len(steps) > 1:
            for step in steps:  # the tags of data events are reset where the epoch wraps
                self.launch([step])
            return
        prepared = [self._prepare(extents, own) for extents, own in steps]
        workers = self.schedules[prepared[0][0]].workers
        self._recorded[:] = 0
        self._last_workers = workers
        contexts = (EtcContext * (len(steps) * workers))()
        for i, (number, slots, actual) in enumerate(prepared):
            self.epoch = (self.epoch + 1) % EPOCHS
            if self.epoch == 0:
                self._reset_data()
            for worker in range(workers):
                context = contexts[i * workers + worker]
                self._fill(context, worker, number, slots, actual)
                context.steps = len(steps) - i
                context.step_bytes = workers * ctypes.sizeof(EtcContext)
        self._engine.run(ctypes.addressof(contexts), workers)
        if self._status.state:
            error = self._describe_failure()
            self.set_epoch(self.epoch)
            raise error

    def _prepare(
        self, symbols: Mapping[str, int], own: Mapping[str, np.ndarray | Tensor]
    ) -> tuple[int, np.ndarray, np.ndarray]:
        """The schedule of a step, the address of every slot, and its extents."""
        extents = self._check_extents(symbols)
        bound = self._bound
        if own:
            self._bound = dict(bound)
            self.bind_all(own)
        try:
            slots = np.array([self._address(b, extents) for b in self.buffers] or [0], np.int64)
        finally:
            self._bound = bound
        return self._find_schedule(extents), slots, np.array(extents or [0], np.int64)

    def set_epoch(self, epoch: int) -> None:
        """All counters and the status as after step `epoch`; the next one is `epoch` + 1.

        epoch: modulo 2^32. Both banks are empty and a monotonic counter has had its count in every
        step.
        """
        self.epoch = epoch % EPOCHS
        self.counters[:] = 0
        for offset, stride, per_epoch, entries in self.events.tolist():
            if stride == 0 and per_epoch != 0:
                self.counters[offset : offset + entries] = per_epoch * self.epoch % EPOCHS
        self._reset_data()
        self._status = EtcStatus()

    def trace(self) -> list[np.ndarray]:
        """The records of the last launch, an array of `trace.RECORD` per worker, in order: of its
        first steps, where `trace_capacity` is less than it ran."""
        capacity = self._records.shape[1]
        counts = self._recorded[: self._last_workers].tolist()
        return [self._records[w, : min(n, capacity)].copy() for w, n in enumerate(counts)]

    def _reset_data(self) -> None:
        """The tags of data tensors as of no step near this one."""
        for offset, stride, per_epoch, entries in self.events.tolist():
            if stride == 0 and per_epoch == 0:
                tags = slice(offset + 1, offset + 2 * entries, 2)
                self.counters[tags] = (self.epoch - 1) % EPOCHS

    def _check_extents(self, symbols: Mapping[str, int]) -> list[int]:
        known = [s["name"] for s in self.symbols]
        if set(known) != set(symbols):
            raise OptionError(f"a step needs the extents {known}, got {list(symbols)}")
        for symbol in self.symbols:
            if not symbol["min"] <= symbols[symbol["name"]] <= symbol["max"]:
                raise OptionError(
                    f"{symbol['name']} = {symbols[symbol['name']]} is outside of its range "
                    f"{symbol['min']} to {symbol['max']}"
                )
        return [symbols[name] for name in known]

    def _find_schedule(self, extents: list[int]) -> int:
        for number, schedule in enumerate(self.schedules):
            if all(e <= bound for e, bound in zip(extents, schedule.bucket.tolist(), strict=False)):
                return number
        raise OptionError(f"no schedule covers {extents}: compile with a larger bucket")

    def _address(self, buffer: dict[str, Any], extents: list[int]) -> int:
        if buffer["role"] == "scratch":
            return self._scratch.ctypes.data + buffer["offset"]
        name = buffer["name"]
        if name not in self._bound:
            raise OptionError(f"buffer '{name}' ({buffer['role']}) is not bound")
        shape = buffer["shape"]([], extents)
        needed = math.prod(shape) * _BYTES[buffer["dtype"]]
        bound = self._bound[name]
        if bound.nbytes < needed:
            raise OptionError(
                f"buffer '{name}' has {bound.nbytes} bytes, this step needs {needed} for {shape} "
                f"{buffer['dtype']}"
            )
        return bound.address

    def _fill(
        self, context: EtcContext, worker: int, number: int, slots: np.ndarray, actual: np.ndarray
    ) -> None:
        schedule = self.schedules[number]
        context.buffers = slots.ctypes.data
        context.launches = self._launches.ctypes.data
        context.run_offsets = schedule.offsets.ctypes.data
        context.runs = schedule.runs.ctypes.data
        context.counters = self.counters.ctypes.data
        context.events = self.events.ctypes.data
        context.symbols = actual.ctypes.data
        context.bucket = schedule.bucket.ctypes.data
        context.status = ctypes.addressof(self._status)
        context.trace = self._records.ctypes.data if self._records.size else 0
        context.trace_counts = self._recorded.ctypes.data
        context.timeout_ns = int(self.timeout_s * 1e9)
        context.epoch, context.worker, context.workers = self.epoch, worker, schedule.workers
        context.trace_capacity = self._records.shape[1]
        context.current_launch = context.current_task = -1

    def _describe_failure(self) -> WatchdogError:
        status, names = self._status, self._tables["launch_names"]
        fields = (getattr(status, field[0]) for field in EtcStatus._fields_[1:])
        # Without marks (lower-to-persistent{trace=false}) the launch is not known.
        launch = names[status.launch] if status.launch >= 0 else ""
        event = self._tables["event_names"][status.event]
        return WatchdogError(
            StuckWait(*fields, launch_name=launch, event_name=event), self.timeout_s
        )


def _find_program(module: _etc.Module, name: str | None) -> dict[str, Any]:
    programs = [p for p in module.programs() if name is None or p["name"] == name]
    if len(programs) != 1:
        found = [p["name"] for p in module.programs()]
        wanted = "one program" if name is None else f"a program named '{name}'"
        raise OptionError(f"the module has the programs {found}, expected {wanted}")
    return programs[0]


def _as_memory(name: str, memory: Any, dtype: str) -> _Bound:
    """The address and size of an array or tensor. Raises OptionError."""
    if isinstance(memory, np.ndarray):
        contiguous, item = memory.flags.c_contiguous, memory.itemsize
        address, nbytes = memory.ctypes.data, memory.nbytes
    else:
        contiguous, item = memory.is_contiguous(), memory.element_size()
        address, nbytes = memory.data_ptr(), memory.numel() * item
    if not contiguous or item != _BYTES[dtype]:
        raise OptionError(
            f"buffer '{name}' must be contiguous and of {_BYTES[dtype]} bytes an element ({dtype})"
        )
    return _Bound(memory, address, nbytes)


def allocate(nbytes: int) -> np.ndarray:
    """`nbytes` zero bytes (eight where it is less), aligned as generated code may assume."""
    nbytes = max(nbytes, 8)
    raw = np.zeros(nbytes + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + nbytes]
