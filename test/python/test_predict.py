# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""benchmarks/predict.py on a timeline of four launches, and on a real schedule's IR."""

from __future__ import annotations

import importlib
import json
import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from gpu_tiny import ROOT

# Body, launch, worker, begin and duration in us. The norm ends before the launch in front of it.
TASKS = [
    ("linear", 0, 0, 0.0, 2.0),
    ("linear", 0, 1, 0.0, 4.0),
    ("norm", 1, 0, 2.0, 1.0),
    ("attention", 2, 1, 4.0, 6.0),
    ("linear", 3, 0, 10.0, 2.0),
]


@pytest.fixture
def predict(monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("predict")


def write_trace(path: Path, tasks: list[tuple[str, int, int, float, float]]) -> Path:
    events: list[dict[str, Any]] = [{"ph": "M", "name": "thread_name", "tid": 0, "args": {}}]
    for name, launch, worker, begin, duration in tasks:
        one = {"ph": "X", "name": name, "tid": worker, "ts": begin, "dur": duration}
        events.append(one | {"args": {"launch": launch}})
    path.write_text(json.dumps({"traceEvents": events}))
    return path


def test_a_stage_lasts_from_the_last_task_before_it(predict, tmp_path):
    measured = predict.read_trace(write_trace(tmp_path / "t.json", TASKS))
    assert measured == [("linear", 4.0), ("norm", 3.0), ("attention", 10.0), ("linear", 12.0)]
    times = predict.stage_times(measured)
    assert times == {"linear": [4.0, 2.0], "norm": [0.0], "attention": [6.0]}


def test_errors_and_shares(predict, tmp_path):
    measured = predict.read_trace(write_trace(tmp_path / "t.json", TASKS))
    predicted = [("linear", 3.0), ("norm", 2.0), ("attention", 10.5), ("linear", 12.9)]
    linear, norm, attention = predict.compare(measured, predicted)
    assert (linear.launches, linear.measured_us) == (2, 3.0)
    assert linear.predicted_us == pytest.approx(2.7)
    assert (linear.share, linear.error) == (0.5, pytest.approx(-0.1))
    assert (norm.share, norm.error) == (0.0, 0.0)
    assert (attention.share, attention.error) == (0.5, pytest.approx(0.25))
    stages = [linear, norm, attention]
    assert predict.within(stages, 0.2) == 0.5
    assert predict.within(stages, 0.3) == 1.0
    table = predict.markdown(stages, 12.0, 12.9)
    assert "| linear | 2 | 50.0% | 3.00 us | 2.70 us | -10% |" in table
    assert "norm" not in table  # takes no time
    assert table.endswith("| step | | | 12 us | 13 us | +7% |")


def test_another_schedule_is_refused(predict):
    with pytest.raises(SystemExit, match="other launches ran"):
        predict.compare([("linear", 1.0)], [("norm", 1.0)])


def test_the_schedule_of_the_symbols(predict):
    text = json.dumps(
        [{"symbols": [n], "launches": [{"name": "linear", "end_ns": 1500.0 * n}]} for n in (1, 2)]
    )
    assert predict.read_prediction(text, [2]) == [("linear", 3.0)]
    with pytest.raises(SystemExit, match=r"no schedule for the symbols \[4\]"):
        predict.read_prediction(text, [4])


def test_a_fit_finds_what_makes_the_stages(predict):
    start = {
        "worker_bytes_per_s": 1e10,
        "ring": {"fetch_ns": 1000, "spread": 0.1, "drain_bytes_per_s": 1e11, "kept_bytes": 5},
        "operator_ns": {"linear": 300},
    }

    def cost(values: dict[str, Any]) -> float:
        off = math.log(values["operator_ns"]["linear"] / 500) ** 2
        return off + math.log(values["ring"]["fetch_ns"] / 2500) ** 2

    values, left = predict.fit(start, cost)
    assert left < 0.002
    assert values["operator_ns"]["linear"] == pytest.approx(500, rel=0.05)
    assert values["ring"]["fetch_ns"] == pytest.approx(2500, rel=0.05)
    assert values["ring"]["kept_bytes"] == 5 and values["worker_bytes_per_s"] == 1e10
    assert start["operator_ns"] == {"linear": 300}


def test_numbers_of_a_target_file(predict, tmp_path):
    path = tmp_path / "x.json"
    predict.write_target(path, {"a": 7.5e10, "b": 375.0, "c": 0.5, "d": 232448})
    assert '"a": 7.5e10,\n  "b": 375,\n  "c": 0.5,\n  "d": 232448\n' in path.read_text()
    assert json.loads(path.read_text())["a"] == 7.5e10


GRAPH = """
task.func @linear(%i: index) { task.return }
task.graph @g symbols [#task.symbol<"T", 1 to 1>] {
  task.launch @linear grid(()[T] -> (2)) reads() writes() waits() notifies()
  task.launch @linear grid(()[T] -> (2)) reads() writes() waits() notifies()
}
task.schedule @g bucket [1] policy "list" offsets [0, 2, 4]
  runs [0, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1]
"""


def test_the_script(predict, tmp_path, monkeypatch, capsys):
    """Two tasks of nothing but their dispatch, 99 ns each, were measured as 100."""
    ir, target = tmp_path / "5-schedule.mlir", tmp_path / "mine.json"
    ir.write_text(GRAPH)
    values = json.loads((ROOT / "python/etc_mlir/targets/h100.json").read_text())
    target.write_text(json.dumps(values | {"dispatch_ns": 99}))
    tasks = [("linear", launch, 0, 0.1 * launch, 0.1) for launch in (0, 1)]
    trace = write_trace(tmp_path / "t.json", tasks)
    arguments = ["predict.py", str(ir), str(trace), "--name", "tiny", "--out", str(tmp_path)]
    arguments += ["--target", str(target)]
    monkeypatch.setattr(sys, "argv", [*arguments, "--device", "none"])
    predict.main()
    assert "| linear | 2 | 100.0% | 0.10 us | 0.10 us | -1% |" in capsys.readouterr().out
    made = json.loads((tmp_path / "predict-tiny.json").read_text())
    assert made["median_ms"] == pytest.approx(2e-4) and made["device"] == "none"
    assert made["predicted_ms"] == pytest.approx(1.98e-4)
    assert made["stages"][0]["error"] == pytest.approx(-0.01) and made["within_20_percent"] == 1.0


def test_the_script_fits(predict, tmp_path, monkeypatch):
    """A drain that nothing streams through stays as it is, and the file stays a target."""
    ir, target = tmp_path / "5-schedule.mlir", tmp_path / "mine.json"
    ir.write_text(GRAPH)
    target.write_text((ROOT / "python/etc_mlir/targets/h100.json").read_text())
    trace = write_trace(tmp_path / "t.json", [("linear", n, 0, 0.1 * n, 0.1) for n in (0, 1)])
    monkeypatch.setattr(predict, "FACTORS", (1.25,))
    monkeypatch.setattr(
        sys, "argv", ["predict.py", str(ir), str(trace), "--target", str(target), "--fit"]
    )
    before = json.loads(target.read_text())
    predict.main()
    assert json.loads(target.read_text()) == before
