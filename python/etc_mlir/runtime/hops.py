# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What an event costs on a GPU: `etc bench hops` and benchmarks/hops.py."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import torch

from etc_mlir.errors import EtcError
from etc_mlir.package import Package
from etc_mlir.runtime.measure import TimedProgram, record

# The graphs of examples/graphs, and the workers that each is compiled for.
GRAPHS = {"hops_counter": 2, "hops_data": 2, "dispatch": 1}
# Hand-offs of hops_counter.mlir and hops_data.mlir; tasks of dispatch.mlir.
HOPS, TASKS = 64, 4096
# One red.release.gpu until an ld.acquire.gpu on another SM sees it, by a hand-written probe.
SIGNAL_MS = 605e-6


def measure(
    packages: Path, launches: int = 500, warmup: int = 50, command: str = "etc bench hops"
) -> list[dict[str, Any]]:
    """Records of the packages in a folder; every result is checked.

    Raises TargetError without a GPU, PackageError, WatchdogError, and EtcError if a value is wrong.
    """
    programs = {
        name: TimedProgram(Package.read(packages / f"{name}.etc"), timeout_s=2) for name in GRAPHS
    }

    def time(name: str, tensors: dict[str, torch.Tensor], **symbols: int) -> list[float]:
        for _ in range(warmup + launches):
            programs[name].run(tensors, symbols)
        return programs[name].times_ms[-launches:]

    def result(name: str, times: list[float], parts: int, notes: str, **more: Any) -> dict:
        samples = [(ms - empty) / parts for ms in times]
        commit = programs["dispatch"].package.commit
        return record(
            name, samples, warmup=warmup, commit=commit, command=command, notes=notes, **more
        )

    empty_times = time("dispatch", {}, n=1)
    empty = statistics.median(empty_times)
    minus = f"minus the empty launch ({empty * 1e3:.1f} us, median), over"
    x = torch.zeros(1, dtype=torch.int32, device="cuda")
    counter = time("hops_counter", {"x": x})
    _expect("hops_counter", int(x), (HOPS + 1) * (launches + warmup))
    x = torch.randint(1 << 30, (1,), dtype=torch.int32, device="cuda")
    y = torch.zeros_like(x)
    data = time("hops_data", {"x": x, "y": y})
    _expect("hops_data", int(y), int(x) + HOPS)
    dispatch = time("dispatch", {}, n=TASKS)
    return [
        result(
            "hops-counter",
            counter,
            HOPS,
            f"a launch {minus} {HOPS} hand-offs: wait, load, add, store, notify. Floor: one "
            "release seen by an acquire on another SM, in a hand-written probe. bytes and "
            "ceiling_tbps have no meaning here.",
            floor_ms=SIGNAL_MS,
        ),
        result(
            "hops-data",
            data,
            HOPS,
            f"a launch {minus} {HOPS} hand-offs: receive, add, publish. No floor: nothing is "
            "released, and no probe of a relaxed store was made. bytes and ceiling_tbps have no "
            "meaning here.",
        ),
        result(
            "dispatch",
            dispatch,
            TASKS - 1,
            f"a launch {minus} {TASKS - 1} tasks that do nothing, in one run of one worker. "
            "bytes, floor_ms and ceiling_tbps have no meaning here.",
        ),
    ]


def _expect(name: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise EtcError(f"{name} computed {found} instead of {wanted}")
