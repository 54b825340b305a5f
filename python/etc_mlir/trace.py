# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The timeline of a step: every task on every worker, as a Perfetto file or as a picture.

The records are `EtcTraceRecord` of abi.h, the same from CPU threads and from a GPU.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from etc_mlir.errors import OptionError

# EtcTraceRecord of abi.h; end_ns is 0 for a task that did not finish.
RECORD = np.dtype(
    [("begin_ns", "<i8"), ("end_ns", "<i8"), ("launch", "<i4"), ("task", "<i4")], align=True
)
# Twelve hues that stay apart for most eyes (after Paul Tol), used in turn.
_COLOURS = (
    "#4477aa",
    "#ee6677",
    "#228833",
    "#ccbb44",
    "#66ccee",
    "#aa3377",
    "#ee8866",
    "#44bb99",
    "#99ddff",
    "#ffaabb",
    "#999933",
    "#777777",
)


@dataclasses.dataclass(frozen=True)
class LaunchInfo:
    """A row of the launch table. grid: its extents at the bucket; () where it is not known."""

    name: str
    grid: tuple[int, ...] = ()

    def coordinates(self, task: int) -> list[int]:
        """The point of the grid with this number; the last dimension is the fastest."""
        if not self.grid:
            return []
        return [int(c) for c in np.unravel_index(task, self.grid)]


@dataclasses.dataclass(frozen=True)
class Trace:
    """records[w]: what worker w ran, in order, as an array of RECORD."""

    launches: Sequence[LaunchInfo]
    records: Sequence[np.ndarray]

    @property
    def begin_ns(self) -> int:
        return min((int(r["begin_ns"].min()) for r in self.records if len(r)), default=0)

    @property
    def end_ns(self) -> int:
        ends = (int(np.maximum(r["begin_ns"], r["end_ns"]).max()) for r in self.records if len(r))
        return max(ends, default=0)

    @property
    def kinds(self) -> list[str]:
        """The bodies that ran, in order of their first launch."""
        ran = {int(launch) for r in self.records for launch in np.unique(r["launch"])}
        return list(dict.fromkeys(self.launches[launch].name for launch in sorted(ran)))

    def busy(self, worker: int) -> float:
        """The share of the step that the worker spent in tasks, their waits included."""
        r, span = self.records[worker], self.end_ns - self.begin_ns
        done = r[r["end_ns"] > 0]
        return float((done["end_ns"] - done["begin_ns"]).sum()) / span if span else 0.0

    def save(self, path: str | Path) -> None:
        """Writes Perfetto JSON (.json) or a picture (.svg). Raises OptionError for another."""
        path = Path(path)
        writers = {".json": self.to_json, ".svg": self.to_svg}
        if path.suffix not in writers:
            raise OptionError(f"{path}: a trace is written as .json (Perfetto) or .svg (picture)")
        try:
            path.write_text(writers[path.suffix](), encoding="utf-8")
        except OSError as error:
            raise OptionError(f"{path} cannot be written: {error.strerror}") from error

    def to_json(self) -> str:
        """Chrome's trace event format: one track per worker, microseconds from the first task."""
        origin = self.begin_ns
        events: list[dict[str, Any]] = [
            {"ph": "M", "name": "process_name", "pid": 0, "args": {"name": "etc_mlir"}}
        ]
        for worker, records in enumerate(self.records):
            name = {"name": f"worker {worker}"}
            events.append({"ph": "M", "name": "thread_name", "pid": 0, "tid": worker, "args": name})
            for begin, end, launch, task in records.tolist():
                info = self.launches[launch]
                events.append(
                    {
                        "ph": "X",
                        "name": info.name,
                        "cat": "task" if end else "unfinished",
                        "pid": 0,
                        "tid": worker,
                        "ts": (begin - origin) / 1000,
                        "dur": max(end - begin, 0) / 1000,
                        "args": {
                            "launch": launch,
                            "task": task,
                            "coordinates": info.coordinates(task),
                        },
                    }
                )
        return json.dumps({"displayTimeUnit": "ns", "traceEvents": events})

    def to_svg(self) -> str:
        """A picture that needs nothing else: rows are workers, colours are bodies."""
        return _Picture(self).draw()


class _Picture:
    width, row, gap, left, top = 1200, 18, 4, 90, 40

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.span = max(trace.end_ns - trace.begin_ns, 1)
        self.colours = {k: _COLOURS[i % len(_COLOURS)] for i, k in enumerate(trace.kinds)}

    def x(self, ns: int) -> float:
        return self.left + (ns - self.trace.begin_ns) / self.span * self.width

    def draw(self) -> str:
        bottom = self.top + len(self.trace.records) * (self.row + self.gap)
        legend = self._legend(bottom + 44)
        height = bottom + 60 + 20 * ((len(self.colours) + 3) // 4)
        total = self.left + self.width + 20
        tasks = sum(map(len, self.trace.records))
        title = f"{tasks} tasks, {len(self.trace.records)} workers, {_time(self.span)}"
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{height}" '
                f'viewBox="0 0 {total} {height}" font-family="sans-serif" font-size="12">',
                f'<rect width="{total}" height="{height}" fill="white"/>',
                f'<text class="title" x="{self.left}" y="22" font-size="14">{title}</text>',
                *(line for worker in range(len(self.trace.records)) for line in self._lane(worker)),
                *self._axis(bottom),
                *legend,
                "</svg>\n",
            ]
        )

    def _lane(self, worker: int) -> list[str]:
        y = self.top + worker * (self.row + self.gap)
        lines = [
            f'<text x="{self.left - 8}" y="{y + 13}" text-anchor="end">worker {worker}</text>',
            f'<rect class="lane" x="{self.left}" y="{y}" width="{self.width}" '
            f'height="{self.row}" fill="#f2f2f2"/>',
        ]
        for begin, end, launch, task in self.trace.records[worker].tolist():
            info, x = self.trace.launches[launch], self.x(begin)
            wide = max(self.x(end) - x, 0.4) if end else self.left + self.width - x
            where = ", ".join(map(str, info.coordinates(task))) or task
            fill = self.colours[info.name]
            note = f"{info.name}({where}) {_time(end - begin) if end else 'did not finish'}"
            dash = "" if end else ' stroke="red" stroke-dasharray="3"'
            lines.append(
                f'<rect class="task" x="{x:.2f}" y="{y}" width="{wide:.2f}" height="{self.row}" '
                f'fill="{fill}"{dash}><title>{escape(note)}</title></rect>'
            )
        return lines

    def _axis(self, y: int) -> list[str]:
        step = _tick(self.span)
        lines = [f'<path d="M{self.left} {y}h{self.width}" stroke="#333"/>']
        for ns in range(0, self.span + 1, step):
            x = self.left + ns / self.span * self.width
            lines.append(
                f'<path d="M{x:.1f} {y}v5" stroke="#333"/>'
                f'<text class="tick" x="{x:.1f}" y="{y + 18}" text-anchor="middle">'
                f"{_time(ns)}</text>"
            )
        return lines

    def _legend(self, y: int) -> list[str]:
        lines = []
        for number, (kind, colour) in enumerate(self.colours.items()):
            x, line = self.left + number % 4 * self.width // 4, y + number // 4 * 20
            lines.append(
                f'<g class="legend"><rect x="{x}" y="{line - 10}" width="12" height="12" '
                f'fill="{colour}"/><text x="{x + 18}" y="{line}">{escape(kind)}</text></g>'
            )
        return lines


def _tick(span_ns: int) -> int:
    """A round distance of ticks, for five to twelve of them."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if span_ns / (step * factor) <= 12:
                return step * factor
        step *= 10


def _time(ns: int) -> str:
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns} ns"
