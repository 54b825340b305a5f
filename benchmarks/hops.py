# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What an event costs on a GPU: a hand-off by counter, one by data with its epoch, a dispatch.

    python benchmarks/hops.py FOLDER [--out benchmarks/results] [--launches 500]

FOLDER holds the packages that benchmarks/build_packages.py wrote. Writes hops-counter.json,
hops-data.json and dispatch.json: milliseconds per hand-off and per task.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from etc_mlir.runtime.hops import measure
from etc_mlir.runtime.measure import write_records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--launches", type=int, default=500)
    parser.add_argument("--warmup", type=int, default=50)
    arguments = parser.parse_args()
    records = measure(
        arguments.folder, arguments.launches, arguments.warmup, "python benchmarks/hops.py FOLDER"
    )
    write_records(arguments.out, records)
    for record in records:
        low, middle, high = (record[key] * 1e6 for key in ("min_ms", "median_ms", "max_ms"))
        print(f"{record['name']}: {middle:.0f} ns ({low:.0f} .. {high:.0f})")


if __name__ == "__main__":
    main()
