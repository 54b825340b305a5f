# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The two forms of a timeline, parsed back."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from etc_mlir.errors import OptionError
from etc_mlir.trace import RECORD, LaunchInfo, Trace

SVG = "{http://www.w3.org/2000/svg}"
LAUNCHES = (LaunchInfo("norm", (4,)), LaunchInfo("linear<a&b>", (2, 3)), LaunchInfo("norm", (4,)))
BEGIN = 1_000_000_000


def trace() -> Trace:
    """Worker 0: norm 0, then linear (1, 2); worker 1: norm 3, which hangs; worker 2: nothing."""
    first = [(BEGIN, BEGIN + 2000, 0, 0), (BEGIN + 2500, BEGIN + 10_000, 1, 5)]
    second = [(BEGIN + 1000, 0, 2, 3)]
    return Trace(LAUNCHES, [np.array(r, RECORD) for r in (first, second, [])])


def test_record_is_the_abi():
    assert RECORD.itemsize == 24
    assert RECORD.fields is not None
    assert [RECORD.fields[n][1] for n in ("begin_ns", "end_ns", "launch", "task")] == [0, 8, 16, 20]


def test_json_has_every_task_on_its_track():
    events = json.loads(trace().to_json())["traceEvents"]
    tracks = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert tracks == {0: "worker 0", 1: "worker 1", 2: "worker 2"}
    tasks = [e for e in events if e["ph"] == "X"]
    assert [(e["tid"], e["name"], e["ts"], e["dur"]) for e in tasks] == [
        (0, "norm", 0.0, 2.0),
        (0, "linear<a&b>", 2.5, 7.5),
        (1, "norm", 1.0, 0.0),
    ]
    assert tasks[1]["args"] == {"launch": 1, "task": 5, "coordinates": [1, 2]}
    assert [e["cat"] for e in tasks] == ["task", "task", "unfinished"]


def test_svg_is_self_contained_and_complete():
    text = trace().to_svg()
    root = ElementTree.fromstring(text)
    assert "href" not in text and "<script" not in text
    assert len(root.findall(f"{SVG}rect[@class='lane']")) == 3
    tasks = root.findall(f"{SVG}rect[@class='task']")
    notes = [t.findtext(f"{SVG}title") for t in tasks]
    assert notes == ["norm(0) 2 µs", "linear<a&b>(1, 2) 7.5 µs", "norm(3) did not finish"]
    # The step is 10 us long: the first task fills a fifth, the last goes on to the end.
    assert [float(t.attrib["width"]) for t in tasks] == pytest.approx([240, 900, 1080], abs=0.1)
    legend = root.findall(f"{SVG}g[@class='legend']")
    named = {g.findtext(f"{SVG}text"): g[0].attrib["fill"] for g in legend}
    assert list(named) == ["norm", "linear<a&b>"]
    assert [t.attrib["fill"] for t in tasks] == [named[n] for n in ("norm", "linear<a&b>", "norm")]
    ticks = [t.text for t in root.findall(f"{SVG}text[@class='tick']")]
    assert (ticks[0], ticks[-1], len(ticks)) == ("0 ns", "10 µs", 11)


def test_busy_counts_finished_tasks():
    assert [trace().busy(w) for w in range(3)] == pytest.approx([0.95, 0, 0])


def test_save_goes_by_suffix(tmp_path):
    for name in ("t.json", "t.svg"):
        trace().save(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 500
    with pytest.raises(OptionError, match=r"written as \.json"):
        trace().save(tmp_path / "t.png")
    with pytest.raises(OptionError, match="cannot be written"):
        trace().save(tmp_path / "absent" / "t.svg")


def test_a_trace_of_nothing_can_be_drawn():
    empty = Trace(LAUNCHES, [np.array([], RECORD)])
    ElementTree.fromstring(empty.to_svg())
    assert len(json.loads(empty.to_json())["traceEvents"]) == 2
