# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the compiler makes of whole models: operators, tasks, events, schedules.

    python benchmarks/model_statistics.py [--output docs/ModelStatistics.md] [MODEL ...]

Imports each config of benchmarks/models under fake tensors (no weights, no network), compiles it
for the H200's description, pass by pass, and writes a table of `print-schedule-stats`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "benchmarks" / "models"
TARGET = ROOT / "python" / "etc_mlir" / "targets" / "h200.json"
WORKERS = json.loads(TARGET.read_text())["workers"]
PHASES = (
    "--pipeline-import",
    f"--pipeline-decompose=workers={WORKERS}",
    "--infer-events",
    "--fuse-events",
    "--linearize-tasks",
    "--plan-global-memory",
    "--prefetch-weights",
    f"--schedule-static=workers={WORKERS} buckets=1x1,16x16 target={TARGET}",
    "--verify-schedule",
    f"--print-schedule-stats=json target={TARGET}",
)
PAGE = """# What the compiler makes of whole models

Made by `python benchmarks/model_statistics.py`: the configs in benchmarks/models, bf16,
{workers} workers, a greedy step of T tokens and R = T rows of logits. *Operators* are launches.
*All pairs* is the number of events of one per dependent pair of tasks, in closed form; the test
`print-schedule-stats-pairs` compares the closed form with enumeration. *Predicted* is the cost
model's length of the step, not a measurement. Import under fake tensors and all passes, on the
machine that made the page: see the last column.

{table}

For comparison, the paper on Mirage Persistent Kernel reports for Qwen3-8B 293 operators, 13,867
tasks and 37 to 118 times fewer events than pairs. Our step has more operators because norm, rotary
and elementwise work are launches of their own until their fusion lands (see the Limits).

## Limits
- Norms, rotary embedding, SiLU and residuals are not yet fused into their neighbours.
- A step with T = 1 runs the bucket T <= 1; T = 16 is the largest of the schedule's buckets here.
"""


def import_text(config: dict[str, Any]) -> str:
    """The imported step of a config in bf16."""
    import torch
    from transformers import AutoConfig

    from etc_mlir.frontend.importer import import_model

    kind = config.pop("model_type")
    found = import_model(
        AutoConfig.for_model(kind, **config),
        max_tokens=16,
        max_rows=16,
        max_seqs=16,
        page_tokens=64,
        max_seq_len=4096,
        dtype=torch.bfloat16,
    )
    return found.text


def statistics(name: str) -> tuple[list[dict[str, Any]], float, float]:
    """The schedules' statistics, and the seconds of the import and of all passes."""
    start = time.perf_counter()
    text = import_text(json.loads((MODELS / f"{name}.json").read_text()))
    imported = time.perf_counter()
    for phase in PHASES:
        last = phase is PHASES[-1]
        command = [str(ROOT / "build/tools/etc-opt/etc-opt"), phase]
        command += ["-o", "/dev/null"] if last else []
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{name}: {phase}: {done.stderr[:2000]}")
        text = done.stdout
    return json.loads(text), imported - start, time.perf_counter() - imported


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=sorted(p.stem for p in MODELS.glob("*.json")))
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "ModelStatistics.md")
    arguments = parser.parse_args()
    lines = [
        "| model | T | operators | tasks | event tensors | events | all pairs | fewer by | "
        "tasks a worker | runs | predicted | import + passes |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in arguments.models:
        print(f"{name} ...", flush=True)
        rows, importing, passing = statistics(name)
        for s in rows:
            spread = f"{min(s['tasks_per_worker'])} to {max(s['tasks_per_worker'])}"
            lines.append(
                f"| {name} | {s['symbols'][0]} | {s['launches']} | {s['tasks']:,} | "
                f"{s['event_tensors']} | {s['event_entries']:,} | {s['naive_events']:,} | "
                f"{s['naive_events'] / s['event_entries']:.0f}x | {spread} | {s['runs']:,} | "
                f"{s['makespan_ns'] / 1e6:.2f} ms | {importing:.0f} + {passing:.1f} s |"
            )
    page = PAGE.format(workers=WORKERS, table="\n".join(lines))
    arguments.output.write_text(page)
    print(page)


if __name__ == "__main__":
    main()
