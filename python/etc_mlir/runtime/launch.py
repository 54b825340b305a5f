# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Load a package on a GPU and run its steps."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from etc_mlir.errors import OptionError, StuckWait, TargetError, WatchdogError
from etc_mlir.package import Buffer, Package
from etc_mlir.runtime.abi import EtcContext, EtcStatus, EtcTraceRecord
from etc_mlir.runtime.weights import Intake, check
from etc_mlir.trace import RECORD, LaunchInfo, Trace

driver: Any = None  # what lacks it, _find_device says
with contextlib.suppress(ImportError):
    from cuda.bindings import driver  # pyright: ignore[reportMissingImports]  (GPU machines only)

# Where the arguments of a step may begin.
_ALIGNMENT = 256


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a driver call. Raises TargetError with the driver's own words."""
    status, *results = function(*arguments)
    if status != driver.CUresult.CUDA_SUCCESS:
        _, text = driver.cuGetErrorString(status)
        words = text.decode() if text else str(status)
        raise TargetError(f"{function.__name__}: {words}")
    return results[0] if len(results) == 1 else results or None


class Program:
    """A package on a device. One step at a time; steps follow each other on a stream."""

    def __init__(
        self,
        package: Package,
        device: torch.device | str = "cuda",
        *,
        timeout_s: float | None = None,
        trace_capacity: int = 0,
    ) -> None:
        """Loads the cubin and the tables. timeout_s: bound of one wait, by default ETC_TIMEOUT_S
        or 5. trace_capacity: tasks that a worker can record in one step.

        Raises OptionError where a kernel is to record that cannot, TargetError where the device
        cannot run the program.
        """
        if trace_capacity and not package.tables["traced"]:
            raise OptionError(
                f"the kernel of {package.name} cannot record its tasks: compile it with --trace"
            )
        if timeout_s is None:
            timeout_s = float(os.environ.get("ETC_TIMEOUT_S", "5"))
        self.package, self.timeout_s = package, timeout_s
        self.device = _find_device(device, package)
        with torch.cuda.device(self.device):
            torch.zeros(1, device=self.device)  # makes the primary context current
            self._module = _call(driver.cuModuleLoadData, package.cubin)
            self._kernel = _call(
                driver.cuModuleGetFunction, self._module, package.tables["kernel"].encode()
            )
        self._threads = int(package.tables["threads"])
        self._shared_bytes = int(package.tables["shared_bytes"])
        self._buffers = package.buffers
        self._schedules = package.schedules
        self._check_residency(max(s.workers for s in self._schedules))
        self._slots = {b.name: i for i, b in enumerate(self._buffers) if b.role != "scratch"}
        self._bound: dict[str, torch.Tensor] = {}
        self._addresses: list[int] = []  # of what is bound and of scratch; else 0
        self._allocate(trace_capacity)
        self.rearm()

    # ---- set up

    def _check_residency(self, workers: int) -> None:
        """Refuses a grid whose blocks could not all be resident: a wait could never end."""
        attribute = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
        with torch.cuda.device(self.device):
            _call(driver.cuFuncSetAttribute, self._kernel, attribute, self._shared_bytes)
            per_sm = _call(
                driver.cuOccupancyMaxActiveBlocksPerMultiprocessor,
                self._kernel,
                self._threads,
                self._shared_bytes,
            )
        sms = torch.cuda.get_device_properties(self.device).multi_processor_count
        if workers > per_sm * sms:
            raise TargetError(
                f"the schedule has {workers} workers, but only {per_sm * sms} blocks can be "
                f"resident on {torch.cuda.get_device_name(self.device)} ({sms} SMs, {per_sm} "
                f"block(s) of {self._shared_bytes} bytes of shared memory each). Compile for "
                "fewer workers."
            )

    def _words(self, values: Sequence[int]) -> torch.Tensor:
        return torch.tensor(list(values) or [0], dtype=torch.int32, device=self.device)

    def _allocate(self, trace_capacity: int) -> None:
        tables = self.package.tables
        self._launches, self._events = (
            self._words(tables["launches"]),
            self._words(tables["events"]),
        )
        self._runs = [(self._words(s.offsets), self._words(s.runs)) for s in self._schedules]
        self.counters = torch.zeros(
            max(2, tables["counter_words"]), dtype=torch.int32, device=self.device
        )
        self.scratch = torch.zeros(
            max(1, tables["scratch_bytes"]), dtype=torch.uint8, device=self.device
        )
        self._status = torch.zeros(ctypes.sizeof(EtcStatus), dtype=torch.uint8, device=self.device)
        workers = max(s.workers for s in self._schedules)
        self._trace_capacity = trace_capacity
        record = ctypes.sizeof(EtcTraceRecord)
        self._trace = torch.zeros(
            workers * trace_capacity * record, dtype=torch.uint8, device=self.device
        )
        self._trace_counts = self._words([0] * workers)
        words = len(self._buffers) + 2 * len(self.package.symbols)
        size = ctypes.sizeof(EtcContext) + 8 * words
        self._stride = -(-size // _ALIGNMENT) * _ALIGNMENT
        self._arguments = torch.zeros(self._stride, dtype=torch.uint8, device=self.device)

    def rearm(self) -> None:
        """All counters, the scratch and the status as before the first step; epochs start again at
        1. What was prepared and not launched is forgotten."""
        self.counters.zero_()
        self.scratch.zero_()  # tagged words hold epochs, of which some come again
        self._status.zero_()
        self.epoch = 0
        self._prepared: deque[tuple[int, int, int]] = deque()

    # ---- buffers

    def bind(
        self,
        tensors: Mapping[str, torch.Tensor] | Iterable[tuple[str, torch.Tensor]],
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        """Keeps weights and states for all later steps. Weights are stacked and packed here, once,
        on the device; of an iterator of (name, tensor), none is kept any longer than it takes.

        Calls progress(name, done, total). Raises OptionError for a tensor that no buffer fits and
        for a stack of which a part is missing.
        """
        intake = Intake(self._buffers, self.device, self.package.tied)
        known = isinstance(tensors, Mapping)
        total = len(tensors) if known else sum(len(b.sources) for b in self._weights())
        pairs: Iterable[Any] = tensors.items() if known else tensors
        self._addresses = []
        for done, (name, tensor) in enumerate(pairs, 1):
            self._bound.update(intake.take(name, tensor))
            if progress:
                progress(name, done, max(done, total))
        intake.finish()

    def unbound(self) -> list[str]:
        """The weights that have no memory yet, by the names of what they are made of."""
        return [n for b in self._weights() if b.name not in self._bound for n in b.sources]

    def _weights(self) -> list[Buffer]:
        return [buffer for buffer in self._buffers if buffer.role == "weight"]

    def _fixed(self) -> list[int]:
        """The address of every slot that is the same in every step, 0 for the others."""
        if not self._addresses:
            scratch, bound = self.scratch.data_ptr(), self._bound
            self._addresses = [
                scratch + b.offset
                if b.role == "scratch"
                else bound[b.name].data_ptr()
                if b.name in bound
                else 0
                for b in self._buffers
            ]
        return list(self._addresses)

    def _slot_table(self, tensors: Mapping[str, torch.Tensor], symbols: Sequence[int]) -> list[int]:
        """The address of every slot. Raises OptionError for one that has none."""
        found = self._fixed()
        for name, tensor in tensors.items():
            if name not in self._slots:
                raise OptionError(f"the program has no buffer '{name}'")
            slot = self._slots[name]
            check(self._buffers[slot], tensor, self.device, symbols)
            found[slot] = tensor.data_ptr()
        for slot, buffer in enumerate(self._buffers):
            # An empty tensor has no address, and nobody reads it.
            if not found[slot] and buffer.name not in (*tensors, *self._bound):
                parts = f", of {', '.join(buffer.sources)}" if buffer.stack else ""
                raise OptionError(f"buffer '{buffer.name}' ({buffer.role}{parts}) is not bound")
        return found

    # ---- steps

    def find_schedule(self, symbols: Sequence[int]) -> int:
        """The number of the first schedule that covers these extents. Raises OptionError."""
        for number, schedule in enumerate(self._schedules):
            if all(value <= bound for value, bound in zip(symbols, schedule.bucket, strict=True)):
                return number
        raise OptionError(f"no schedule covers {list(symbols)}: compile with a larger bucket")

    def run(
        self,
        tensors: Mapping[str, torch.Tensor] | None = None,
        symbols: Mapping[str, int] | None = None,
        *,
        check: bool = True,
    ) -> None:
        """One step on the current stream. tensors: what is not bound, by name.

        check: wait for the end and raise WatchdogError if a wait exceeded its bound; without it
        the caller calls `check` later.
        """
        self.prepare(tensors, symbols)
        self.launch()
        if check:
            self.check()

    def prepare(
        self,
        tensors: Mapping[str, torch.Tensor] | None = None,
        symbols: Mapping[str, int] | None = None,
    ) -> None:
        """The first half of `run`: checks the step and uploads its arguments."""
        self.prepare_all([(tensors or {}, symbols or {})])

    def prepare_all(
        self,
        steps: Sequence[tuple[Mapping[str, torch.Tensor], Mapping[str, int]]],
        *,
        per_launch: int = 1,
    ) -> None:
        """Checks these steps and uploads the arguments of all at once; `launch` runs the next
        `per_launch` of them. So nothing comes between the kernels of steps whose tensors are known
        beforehand. Takes the place of what was prepared before. Raises OptionError."""
        if not steps or per_launch < 1:
            raise OptionError(f"{len(steps)} steps, {per_launch} in a launch: nothing to prepare")
        if per_launch > 1 and not self.package.tables["many_steps"]:
            raise OptionError(
                f"{per_launch} steps in one launch, but no event orders one after the other: "
                "compile the graph with order-steps"
            )
        size = self._stride * len(steps)
        if self._arguments.numel() < size:
            self._arguments = torch.zeros(size, dtype=torch.uint8, device=self.device)
        blob, base = bytearray(size), self._arguments.data_ptr()
        epoch, prepared = self.epoch, deque[tuple[int, int, int]]()
        for i, (tensors, symbols) in enumerate(steps):
            at = i * self._stride
            values = self._check_symbols(symbols)
            number = self.find_schedule(values)
            epoch = (epoch + 1) % 2**32
            if i % per_launch:
                self._check_weights(tensors, steps[i - i % per_launch][0])
            context, words = self._pack(number, tensors, values, base + at, epoch)
            context.steps = min(len(steps), i - i % per_launch + per_launch) - i
            blob[at : at + ctypes.sizeof(context) + len(words)] = bytes(context) + words
            if i % per_launch == 0:
                last = (epoch + context.steps - 1) % 2**32
                prepared.append((base + at, self._schedules[number].workers, last))
        self._arguments[:size].copy_(torch.frombuffer(blob, dtype=torch.uint8))
        self._prepared = prepared
        if self._trace_capacity:
            self._trace_counts.zero_()

    def _check_weights(
        self, tensors: Mapping[str, torch.Tensor], first: Mapping[str, torch.Tensor]
    ) -> None:
        """A kernel streams the weights of the next step while it still runs this one, from the
        addresses of its first."""
        for buffer in self._buffers:
            if buffer.role == "weight" and tensors.get(buffer.name) is not first.get(buffer.name):
                raise OptionError(
                    f"weight '{buffer.name}' is another tensor than in the first step of the same "
                    "launch: bind it for all steps, or launch them one by one"
                )

    def _check_symbols(self, symbols: Mapping[str, int]) -> list[int]:
        values = [symbols[s.name] for s in self.package.symbols]
        for symbol, value in zip(self.package.symbols, values, strict=True):
            if not symbol.min <= value <= symbol.max:
                raise OptionError(
                    f"{symbol.name} = {value} is outside {symbol.min} to {symbol.max}"
                )
        return values

    def _pack(
        self,
        number: int,
        tensors: Mapping[str, torch.Tensor],
        symbols: Sequence[int],
        address: int,
        epoch: int,
    ) -> tuple[EtcContext, bytes]:
        """EtcContext and the tables that change from step to step, which come behind it, for a
        place in the device's memory."""
        schedule = self._schedules[number]
        offsets, runs = self._runs[number]
        base = address + ctypes.sizeof(EtcContext)
        slots = self._slot_table(tensors, symbols)
        context = EtcContext(
            buffers=base,
            launches=self._launches.data_ptr(),
            run_offsets=offsets.data_ptr(),
            runs=runs.data_ptr(),
            counters=self.counters.data_ptr(),
            events=self._events.data_ptr(),
            symbols=base + 8 * len(slots),
            bucket=base + 8 * (len(slots) + len(symbols)),
            status=self._status.data_ptr(),
            trace=self._trace.data_ptr() if self._trace_capacity else 0,
            trace_counts=self._trace_counts.data_ptr(),
            timeout_ns=int(self.timeout_s * 1e9),
            epoch=epoch,
            workers=schedule.workers,
            trace_capacity=self._trace_capacity,
            step_bytes=self._stride,
        )
        words = (*slots, *symbols, *schedule.bucket)
        return context, bytes((ctypes.c_int64 * len(words))(*words))

    def launch(self) -> None:
        """The second half of `run`: starts the kernel, once for each launch that was prepared."""
        if not self._prepared:
            raise OptionError("no step is prepared")
        address, blocks, epoch = self._prepared[0]
        parameters = ((address,), (ctypes.c_void_p,))
        with torch.cuda.device(self.device):
            stream = driver.CUstream(torch.cuda.current_stream(self.device).cuda_stream)
            _call(
                driver.cuLaunchCooperativeKernel,
                self._kernel,
                *(blocks, 1, 1),
                *(self._threads, 1, 1),
                self._shared_bytes,
                stream,
                parameters,
            )
        # Counters have had the steps that were launched, not those that were prepared.
        self._prepared.popleft()
        self.epoch = epoch

    def check(self) -> None:
        """Waits for the steps so far. Raises WatchdogError, and is then ready for the next step."""
        status = EtcStatus.from_buffer_copy(self._status.cpu().numpy().tobytes())
        if not status.state:
            return
        tables = self.package.tables
        stuck = StuckWait(
            *(getattr(status, name) for name, *_ in EtcStatus._fields_[1:]),
            launch_name=_name(tables["launch_names"], status.launch),
            event_name=_name(tables["event_names"], status.event),
        )
        self.rearm()
        raise WatchdogError(stuck, self.timeout_s)

    def trace(self) -> Trace:
        """What every worker ran since steps were prepared, up to `trace_capacity` tasks: of single
        steps the last one, of several in a launch the first. Waits."""
        count = self._trace.numel() // RECORD.itemsize
        records = np.frombuffer(self._trace.cpu().numpy().tobytes(), RECORD, count)
        rows = records.reshape(-1, self._trace_capacity) if count else [records[:0]]
        launches = [LaunchInfo(name) for name in self.package.tables["launch_names"]]
        counts = self._trace_counts.tolist()
        return Trace(launches, [row[:n] for row, n in zip(rows, counts, strict=False)])


def _name(names: Sequence[str], number: int) -> str:
    return names[number] if 0 <= number < len(names) else ""


def require_device() -> None:
    """Raises TargetError where no package could be loaded, whichever it is."""
    if not torch.cuda.is_available():
        raise TargetError("no CUDA device: PyTorch sees none. Use the target cpu.")
    if driver is None:
        raise TargetError(
            "cuda-bindings is not installed: pip install -r requirements-cuda.txt, or "
            "pip install cuda-bindings"
        )


def _find_device(device: torch.device | str, package: Package) -> torch.device:
    """The device, if it can run the package's machine code. Raises TargetError."""
    require_device()
    found = torch.device(device)
    if found.index is None:
        found = torch.device("cuda", torch.cuda.current_device())
    major, minor = torch.cuda.get_device_capability(found)
    if not package.arch.startswith(f"sm_{major}{minor}"):
        raise TargetError(
            f"the package is for {package.arch}, {torch.cuda.get_device_name(found)} is "
            f"sm_{major}{minor}: compile for a target of that architecture"
        )
    return found
