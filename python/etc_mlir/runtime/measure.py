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

# Long enough for the host to enqueue a launch and both events behind it.
_HEAD_START_CYCLES = 200_000


class TimedProgram(Program):
    """A program that notes how long each of its steps took, by CUDA events around the kernel.

    The device spins before the first event, so that the host's work lies outside of the two.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.times_ms: list[float] = []
        self._begin, self._end = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def launch(self) -> None:
        torch.cuda._sleep(_HEAD_START_CYCLES)
        self._begin.record()
        super().launch()
        self._end.record()

    def check(self) -> None:
        super().check()  # waits for the end
        self.times_ms.append(self._begin.elapsed_time(self._end))


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
