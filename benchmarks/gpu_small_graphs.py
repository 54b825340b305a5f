# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small graphs on a GPU: every output of every launch against PyTorch.

    python benchmarks/gpu_small_graphs.py FOLDER [--launches 1000] [--only NAME]

FOLDER holds the packages that benchmarks/build_packages.py wrote. Each launch gets fresh random
input, and its outputs and scratch are poisoned before it. Prints one JSON object per graph;
exits with 1 if any output was wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from etc_mlir.errors import WatchdogError
from etc_mlir.package import Package
from etc_mlir.runtime.launch import Program

Check = Callable[[Program], float]


def poison(*tensors: torch.Tensor) -> None:
    """Fills with what no result can be mistaken for."""
    for tensor in tensors:
        tensor.view(torch.uint8).fill_(0xFF)


def split_sum(program: Program) -> float:
    """C[r] = sum of A[r, :], n changing from launch to launch; the largest relative error."""
    n = random.choice([1, 31, 32, 33, 100, 512, 1000, 4095, 4096])
    a = torch.rand(n, 128, device="cuda")
    c = torch.empty(n, device="cuda")
    poison(c, program.scratch)
    program.run({"A": a, "C": c}, {"n": n})
    want = a.double().sum(1)
    return float(((c.double() - want).abs() / want).nan_to_num(1e9).max())


def watchdog(stuck: Program, good: Program) -> dict:
    """A notify that never comes: reported, and the next launches are right again."""
    a, c = torch.rand(100, 128, device="cuda"), torch.empty(100, device="cuda")
    reports = []
    for program, spoil in ((stuck, 0), (good, 1)):
        program.counters.sub_(spoil)  # as if a notify had been lost
        start = time.perf_counter()
        try:
            program.run({"A": a, "C": c}, {"n": 100})
        except WatchdogError as error:
            wait = error.wait
            reports.append([wait.seen, wait.wanted, wait.launch_name, wait.event_name])
            print(f"# {error}", file=sys.stderr)
        reports.append(round(time.perf_counter() - start, 2))
    errors = [split_sum(good) for _ in range(10)]
    caught = sum(isinstance(report, list) for report in reports)
    wrong = (2 - caught) + sum(not error <= 1e-5 for error in errors)
    return {"graph": "watchdog", "reports": reports, "errors_after": max(errors), "wrong": wrong}


# Name of the package, its check, and the largest error that rounding explains.
GRAPHS: list[tuple[str, Check, float]] = [("split_sum", split_sum, 1e-5)]


def run(name: str, program: Program, check: Check, bound: float, launches: int) -> dict:
    """Launches many times; the report of one graph."""
    errors = []
    start = time.perf_counter()
    for _ in range(launches):
        errors.append(check(program))
    wrong = sum(not error <= bound for error in errors)
    return {
        "graph": name,
        "launches": launches,
        "wrong": wrong,
        "max_error": max(errors),
        "bound": bound,
        "seconds": round(time.perf_counter() - start, 3),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--launches", type=int, default=1000)
    parser.add_argument("--only")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    random.seed(0)
    wrong = 0
    for name, check, bound in GRAPHS:
        if arguments.only not in (None, name):
            continue
        program = Program(Package.read(arguments.folder / f"{name}.etc"), timeout_s=2)
        report = run(name, program, check, bound, arguments.launches)
        print(json.dumps(report), flush=True)
        wrong += report["wrong"]
    if arguments.only in (None, "watchdog"):
        stuck, good = (
            Program(Package.read(arguments.folder / f"{name}.etc"), timeout_s=1)
            for name in ("split_sum_stuck", "split_sum")
        )
        report = watchdog(stuck, good)
        print(json.dumps(report), flush=True)
        wrong += report["wrong"]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
