# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A task graph written by hand: what the compiler derives from it, and the graph on threads.

python examples/01_split_sum.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from etc_mlir import _etc
from etc_mlir.runtime_cpu import CpuProgram

GRAPH = Path(__file__).with_suffix(".mlir")
WORKERS = 4


def main() -> float:
    module = _etc.Module.parse(_etc.Context(), GRAPH.read_text(encoding="utf-8"))

    # The events: one counter for each block of 32 rows, notified four times.
    module.run("pipeline-events")
    graph = next(op for op in module.body.operations if op.name == "task.graph")
    for op in graph.regions[0].blocks[0].operations:
        if op.name == "event.create":
            found = op.attributes
            print(f"event {found['name']}: shape {found['shape']}, count {found['count']}")

    # Who runs what, the loop of one worker, machine code.
    module.run(f"pipeline-schedule{{workers={WORKERS}}},pipeline-persistent")
    program = CpuProgram(module)

    # One compiled program serves every n: 3 rows, 1000, then 40 again.
    worst = 0.0
    for rows in (3, 1000, 40):
        matrix = np.random.default_rng(rows).random((rows, 128), dtype=np.float32)
        sums = np.zeros(rows, np.float32)
        program.bind(A=matrix, C=sums)
        program.step({"n": rows})
        error = float(np.abs(sums - matrix.sum(axis=1)).max())
        print(f"{rows} rows on {WORKERS} workers: greatest error {error:.1e}")
        worst = max(worst, error)
    return worst


if __name__ == "__main__":
    main()
