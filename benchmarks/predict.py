# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The cost model against a timeline: time per stage, predicted and measured.

    etc compile MODEL.json --target h200 --keep IR -o MODEL.etc
    python benchmarks/predict.py IR/5-schedule.mlir TRACE.json --target h100 [--name MODEL]
        [--device "NVIDIA H100 80GB HBM3"] [--out benchmarks/results/predicted]
    python benchmarks/predict.py IR/5-schedule.mlir TRACE.json --target h100 --fit

TRACE is the Perfetto file of one step of one sequence, under the schedule in the IR. A stage is
the launches of one body; its time goes from the last task of the launch before to its own last
task, the median over its launches. Prints a table in Markdown; --out: a record there,
predict-MODEL.json. --fit: finds the fields of the target that fit the timeline best (those that
nothing else measures: see docs/Scheduling.md) and writes them into its file.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import math
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ROOT / "python" / "etc_mlir" / "targets"
OPT = ROOT / "build" / "tools" / "etc-opt" / "etc-opt"
# What --fit may change; those of operators are added as the timeline has them.
FITTED = ("worker_bytes_per_s", "ring.fetch_ns", "ring.spread", "ring.drain_bytes_per_s")
FACTORS = (1.6, 1.25, 1.1, 1.04)
# A stage that takes less than this share of the step says nothing.
LEAST_SHARE = 0.001

Ends = Sequence[tuple[str, float]]  # of each launch: its body, when its last task ends, in us


@dataclasses.dataclass(frozen=True)
class Stage:
    """The launches of one body. share: of the measured step."""

    name: str
    launches: int
    measured_us: float
    predicted_us: float
    share: float

    @property
    def error(self) -> float:
        """Of the prediction, as a fraction of what was measured; 0 of nothing."""
        return self.predicted_us / self.measured_us - 1 if self.measured_us > 0 else 0.0


def read_trace(path: Path) -> list[tuple[str, float]]:
    """The ends of the launches in the Perfetto file, from the first task."""
    ends: dict[int, tuple[str, float]] = {}
    for event in json.loads(path.read_text(encoding="utf-8"))["traceEvents"]:
        if event["ph"] == "X":
            launch, end = event["args"]["launch"], event["ts"] + event["dur"]
            ends[launch] = (event["name"], max(end, ends.get(launch, ("", 0.0))[1]))
    return [ends[launch] for launch in sorted(ends)]


def read_prediction(text: str, symbols: list[int]) -> list[tuple[str, float]]:
    """The ends of the launches in the JSON of `predict-schedule`, of the schedule for `symbols`."""
    for schedule in json.loads(text):
        if schedule["symbols"] == symbols:
            return [(one["name"], one["end_ns"] / 1e3) for one in schedule["launches"]]
    raise SystemExit(f"the IR has no schedule for the symbols {symbols}")


def stage_times(ends: Ends) -> dict[str, list[float]]:
    """Body -> how much longer the step is with each of its launches; all add up to the step."""
    times: dict[str, list[float]] = {}
    last = 0.0
    for name, end in ends:
        times.setdefault(name, []).append(max(end - last, 0.0))
        last = max(last, end)
    return times


def compare(measured: Ends, predicted: Ends) -> list[Stage]:
    """The stages, in the order of their first launches."""
    if [name for name, _ in measured] != [name for name, _ in predicted]:
        raise SystemExit("the timeline is not of the schedule in the IR: other launches ran")
    found, expected = stage_times(measured), stage_times(predicted)
    step = step_us(measured)
    return [
        Stage(
            name,
            len(times),
            statistics.median(times),
            statistics.median(expected[name]),
            sum(times) / step,
        )
        for name, times in found.items()
    ]


def step_us(ends: Ends) -> float:
    """When the last task of all ends."""
    return max(end for _, end in ends)


def within(stages: Sequence[Stage], bound: float) -> float:
    """The share of the step whose stages are predicted within `bound`."""
    return sum(s.share for s in stages if abs(s.error) <= bound)


def markdown(stages: Sequence[Stage], measured: float, predicted: float) -> str:
    """A table for docs/Scheduling.md."""
    lines = [
        "| stage | launches | share | measured | predicted | error |",
        "|---|---|---|---|---|---|",
    ]
    for s in stages:
        if s.share >= LEAST_SHARE:
            lines.append(
                f"| {s.name} | {s.launches} | {s.share:.1%} | {s.measured_us:.2f} us | "
                f"{s.predicted_us:.2f} us | {s.error:+.0%} |"
            )
    lines.append(
        f"| step | | | {measured:.0f} us | {predicted:.0f} us | {predicted / measured - 1:+.0%} |"
    )
    return "\n".join(lines)


def make_record(
    arguments: argparse.Namespace, stages: Sequence[Stage], measured: float, predicted: float
) -> dict[str, Any]:
    """What utils/results_table.py reads, with the prediction and the stages besides."""
    ask = ["git", "rev-parse", "--short=9", "HEAD"]
    commit = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    command = ["python", "benchmarks/predict.py", arguments.ir.name, arguments.trace.name]
    command += ["--target", arguments.target, "--name", arguments.name]
    return {
        "name": f"predict-{arguments.name}",
        **dict.fromkeys(("median_ms", "min_ms", "max_ms"), measured / 1e3),
        "n": 1,
        "warmup": None,
        **dict.fromkeys(("bytes", "floor_ms", "ceiling_tbps", "driver")),
        "device": arguments.device,
        "date": datetime.date.today().isoformat(),
        "commit": commit,
        "command": shlex.join(command),
        "notes": "one traced step; predicted_ms and stages are the cost model's",
        "predicted_ms": predicted / 1e3,
        "within_20_percent": within(stages, 0.2),
        "stages": [dataclasses.asdict(s) | {"error": s.error} for s in stages],
    }


def target_path(name: str) -> Path:
    """Of a name, or a path itself."""
    return Path(name) if name.endswith(".json") else TARGETS / f"{name}.json"


def predict(ir: Path, target: Path, symbols: list[int]) -> list[tuple[str, float]]:
    """The ends of the launches by the cost model."""
    command = [str(OPT), str(ir), f"--predict-schedule=target={target}", "-o", "/dev/null"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{shlex.join(command)}: {done.stderr[:2000]}")
    return read_prediction(done.stdout, symbols)


# ===-- The fit -------------------------------------------------------------------------------=== #


def get_field(values: dict[str, Any], key: str) -> float:
    """`ring.fetch_ns` is a member of a member."""
    for part in key.split("."):
        values = values[part]
    return float(values)  # type: ignore[arg-type]


def set_field(values: dict[str, Any], key: str, value: float) -> dict[str, Any]:
    """A copy with another value there, of three digits."""
    head, _, rest = key.partition(".")
    new = set_field(values[head], rest, value) if rest else float(f"{value:.3g}")
    return values | {head: new}


def write_target(path: Path, values: dict[str, Any]) -> None:
    """Numbers as people write them: 375, 7.5e10."""
    text = json.dumps(values, indent=2)
    text = re.sub(r"\b\d{7,}\.0\b", lambda m: f"{float(m[0]):.3g}".replace("e+", "e"), text)
    path.write_text(re.sub(r"\b(\d+)\.0\b", r"\1", text) + "\n", encoding="utf-8")


def distance(stages: Sequence[Stage]) -> float:
    """How far the stages are off: errors squared, by their shares."""
    return sum(
        s.share * math.log(max(s.predicted_us, 1e-3) / s.measured_us) ** 2
        for s in stages
        if s.share >= LEAST_SHARE and s.measured_us > 0
    )


def moves(values: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """What to try: a field and a factor, coarse ones first."""
    keys = [*FITTED, *(f"operator_ns.{name}" for name in values["operator_ns"])]
    for factor in FACTORS:
        for _ in range(3):
            for key in keys:
                yield from ((key, factor), (key, 1 / factor))


def fit(
    values: dict[str, Any], cost: Callable[[dict[str, Any]], float]
) -> tuple[dict[str, Any], float]:
    """Moves one field at a time for as long as that helps; the fields, and what is left."""
    best = cost(values)
    for key, factor in moves(values):
        while True:
            candidate = set_field(values, key, get_field(values, key) * factor)
            found = cost(candidate)
            if found >= best * 0.999:
                break
            values, best = candidate, found
    return values, best


def run_fit(arguments: argparse.Namespace, symbols: list[int], measured: Ends) -> None:
    """Writes the fields that fit best into the target's file."""
    path = target_path(arguments.target)
    with tempfile.TemporaryDirectory(prefix="etc-") as folder:
        trial, ir = Path(folder) / "target.json", Path(folder) / "one.mlir"
        lines = arguments.ir.read_text(encoding="utf-8").splitlines()
        mine = f"bucket {symbols} "
        kept = (x for x in lines if "task.schedule @" not in x or mine in x)
        ir.write_text("\n".join(kept), encoding="utf-8")

        def cost(values: dict[str, Any]) -> float:
            trial.write_text(json.dumps(values), encoding="utf-8")
            return distance(compare(measured, predict(ir, trial, symbols)))

        values, left = fit(json.loads(path.read_text(encoding="utf-8")), cost)
    write_target(path, values)
    print(f"{path}: fitted, {math.sqrt(left):.1%} off in the mean", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ir", type=Path)
    parser.add_argument("trace", type=Path)
    parser.add_argument("--target", default="h100")
    parser.add_argument("--symbols", default="1", help="of the schedule that ran, as 1 or 4x2")
    parser.add_argument("--name", default="model")
    parser.add_argument("--device", default="")
    parser.add_argument("--out", type=Path, help="a folder for the record")
    parser.add_argument("--fit", action="store_true")
    arguments = parser.parse_args()
    symbols = [int(x) for x in arguments.symbols.split("x")]
    measured = read_trace(arguments.trace)
    if arguments.fit:
        run_fit(arguments, symbols, measured)
    predicted = predict(arguments.ir, target_path(arguments.target), symbols)
    stages = compare(measured, predicted)
    print(markdown(stages, step_us(measured), step_us(predicted)))
    print(f"\nWithin 20 %: stages of {within(stages, 0.2):.1%} of the step.")
    if arguments.out:
        made = make_record(arguments, stages, step_us(measured), step_us(predicted))
        arguments.out.mkdir(parents=True, exist_ok=True)
        path = arguments.out / f"{made['name']}.json"
        path.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
