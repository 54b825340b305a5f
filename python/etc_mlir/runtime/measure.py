# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times of launches, and the records in which benchmarks write them."""

from __future__ import annotations

import datetime
import json
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from etc_mlir.runtime.launch import Program

# Long enough for the host to enqueue a launch and both of its events behind it.
_HEAD_START_CYCLES = 200_000


def time_launches(
    program: Program,
    tensors: Mapping[str, torch.Tensor],
    symbols: Mapping[str, int],
    launches: int,
    warmup: int,
) -> list[float]:
    """Milliseconds of each of `launches` steps, by CUDA events right around the kernel.

    The device spins before the first event, so that the host's work lies outside of the two.
    Raises WatchdogError.
    """
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    times = []
    for step in range(warmup + launches):
        program.prepare(tensors, symbols)
        torch.cuda._sleep(_HEAD_START_CYCLES)
        begin.record()
        program.launch()
        end.record()
        program.check()  # waits for the end
        if step >= warmup:
            times.append(begin.elapsed_time(end))
    return times


def record(
    name: str,
    samples_ms: Sequence[float],
    *,
    warmup: int,
    commit: str,
    command: str,
    notes: str,
    n: int | None = None,
    bytes: int | None = None,
    floor_ms: float | None = None,
    ceiling_tbps: float | None = None,
) -> dict[str, Any]:
    """One result, as utils/results_table.py reads it. None: the key has no meaning here."""
    return {
        "name": name,
        "median_ms": statistics.median(samples_ms),
        "min_ms": min(samples_ms),
        "max_ms": max(samples_ms),
        "n": len(samples_ms) if n is None else n,
        "warmup": warmup,
        "bytes": bytes,
        "floor_ms": floor_ms,
        "ceiling_tbps": ceiling_tbps,
        "device": torch.cuda.get_device_name(),
        "driver": _driver(),
        "date": datetime.date.today().isoformat(),
        "commit": commit,
        "command": command,
        "notes": notes,
    }


def write_records(folder: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """A file NAME.json for each record."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in records:
        path = folder / f"{one['name']}.json"
        path.write_text(json.dumps(one, indent=1) + "\n", encoding="utf-8")


def _driver() -> str:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.split("\n")[0].strip()
