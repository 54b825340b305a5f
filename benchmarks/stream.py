# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The ceiling of a decode step: how fast weights stream with nothing to wait for.

    etc compile examples/graphs/stream.mlir --target h200 -o stream.etc
    python benchmarks/stream.py stream.etc [--out FOLDER]

One projection of 2 GiB, whose output is checked against PyTorch's. Runs where PyTorch and
cuda-bindings are.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
from pathlib import Path

import torch

from etc_mlir.package import Package
from etc_mlir.runtime.measure import TimedProgram, record, write_records

WARMUP, RUNS = 5, 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path)
    parser.add_argument("--out", type=Path, help="a folder for the record")
    arguments = parser.parse_args()
    package = Package.read(arguments.package)
    program = TimedProgram(package)
    rows, columns = next(b for b in package.buffers if b.name == "weight").extents(())
    weight = torch.randn(rows, columns, device="cuda", dtype=torch.bfloat16)
    program.bind({"weight": weight})
    x = torch.randn(1, columns, device="cuda", dtype=torch.bfloat16)
    y = torch.full((1, rows), float("nan"), device="cuda", dtype=torch.bfloat16)
    for _ in range(WARMUP + RUNS):
        program.run({"x": x, "y": y}, {})
    want = x.float() @ weight.float().T
    error = float((y.float() - want).abs().max() / want.abs().max())
    if not error < 1e-2:
        sys.exit(f"the output is wrong: {error} of its maximum")
    times = program.times_ms[WARMUP:]
    size = weight.numel() * 2
    rate = size / statistics.median(times) / 1e9
    print(f"{rate:.2f} TB/s on {torch.cuda.get_device_name()}, error {error:.1e}")
    if arguments.out:
        command = shlex.join(["python", "benchmarks/stream.py", arguments.package.name])
        notes = f"2 GiB of weights, one token; largest error {error:.1e} of the maximum"
        made = record(
            "stream",
            times,
            warmup=WARMUP,
            commit=package.commit,
            command=command,
            notes=notes,
            bytes=size,
            ceiling_tbps=rate,
        )
        write_records(arguments.out, [made])


if __name__ == "__main__":
    main()
