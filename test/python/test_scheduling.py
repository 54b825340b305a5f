# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random graphs through events, order and schedules, each with its verifier behind it."""

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ETC_OPT = Path(__file__).parents[2] / "build" / "tools" / "etc-opt" / "etc-opt"
EVENTS = ("--infer-events", "--fuse-events", "--linearize-tasks", "--plan-global-memory")
VERIFY = ("--verify-events", "--verify-schedule")
MAX_ROWS = 12

pytestmark = pytest.mark.skipif(not ETC_OPT.exists(), reason="etc-opt is not built")


def etc_opt(text: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ETC_OPT), *options], input=text, capture_output=True, text=True, timeout=60
    )


@dataclass(frozen=True)
class Tile:
    """One dimension of a region: `size` elements every `period`, or the whole of it."""

    dim: int | None  # of the grid
    period: int = 0
    size: int = 0

    @property
    def offset(self) -> str:
        return "0" if self.dim is None else f"d{self.dim} * {self.period}"


def region(tiles: Sequence[Tile], rank: int) -> str:
    dims = ", ".join(f"d{i}" for i in range(rank))
    offsets = ", ".join(t.offset for t in tiles)
    sizes = ", ".join("*" if t.dim is None else str(t.size) for t in tiles)
    return f"<({dims}) -> ({offsets}) sizes [{sizes}]>"


def view(width: int, tiles: Sequence[Tile]) -> str:
    """The type of the view of a `memref<?x{width}xf32>`, as RegionAttr::getViewType has it."""
    if all(t.dim is None for t in tiles):
        return f"memref<?x{width}xf32>"
    rows, columns = tiles
    shape = ["1" if rows.dim is not None and rows.size == 1 else "?"]
    if columns.dim is None:
        shape.append(str(width))
    else:
        shape.append(str(columns.size) if width % columns.size == 0 else "?")
    return f"memref<{'x'.join(shape)}xf32, strided<[{width}, 1], offset: ?>>"


@st.composite
def graphs(draw: st.DrawFn) -> str:
    """A module with a graph @g of some launches on scratch buffers of n rows, without events."""
    width = draw(st.sampled_from([4, 6, 12]))
    buffers = draw(st.integers(2, 4))
    bodies, launches = [], []
    for number in range(draw(st.integers(1, 6))):
        cuts = [draw(st.sampled_from([0, 1, 2, 3, 5])), draw(st.sampled_from([0, 1, 2, 4]))]
        order = [d for d in draw(st.permutations([0, 1])) if cuts[d]]
        grid = ["(n ceildiv {})", f"({width} ceildiv {{}})"]
        extents = ", ".join(grid[d].format(cuts[d]) for d in order)
        written = [
            Tile(order.index(d), cuts[d], cuts[d]) if cuts[d] else Tile(None) for d in (0, 1)
        ]
        # Tasks of one launch do not depend on each other: none reads what another one writes.
        output, *inputs = draw(st.permutations(range(buffers)))
        accesses = [("writes", output, written)]
        for buffer in inputs[: draw(st.integers(0, 2))]:
            # What the task writes, more than that, or everything.
            more = draw(st.integers(0, 2))
            whole = draw(st.sets(st.integers(0, 1)))
            read = [
                Tile(None) if t.dim is None or d in whole else Tile(t.dim, t.period, t.size + more)
                for d, t in enumerate(written)
            ]
            accesses.insert(0, ("reads", buffer, read))
        lists = {"reads": [], "writes": []}
        for kind, buffer, tiles in accesses:
            lists[kind].append(f"%b{buffer} at {region(tiles, len(order))} : memref<?x{width}xf32>")
        parameters = [f"%i{d}: index" for d in range(len(order))]
        parameters += [f"%v{i}: {view(width, a[2])}" for i, a in enumerate(accesses)]
        bodies.append(f"task.func @f{number}({', '.join(parameters)}) {{ task.return }}")
        launches.append(
            f"task.launch @f{number} grid(()[n] -> ({extents})) reads({', '.join(lists['reads'])})"
            f" writes({', '.join(lists['writes'])}) waits() notifies()"
        )
    declared = [
        f'%b{i} = task.scratch "b{i}" shape affine_map<()[n] -> (n, {width})>'
        f" : memref<?x{width}xf32>"
        for i in range(buffers)
    ]
    symbols = f'[#task.symbol<"n", 1 to {MAX_ROWS}>]'
    lines = [*bodies, f"task.graph @g symbols {symbols} {{", *declared, *launches, "}"]
    return "\n".join(lines)


def schedule_options(workers: int, policy: str) -> str:
    return f"--schedule-static=workers={workers} policy={policy} buckets=1,5,{MAX_ROWS}"


@settings(max_examples=30, deadline=None)
@given(graphs(), st.integers(1, 9), st.sampled_from(["round-robin", "list"]))
def test_a_random_graph_is_ordered_and_scheduled(text: str, workers: int, policy: str) -> None:
    done = etc_opt(text, *EVENTS, schedule_options(workers, policy), *VERIFY)
    assert done.returncode == 0, done.stderr + text


@settings(max_examples=25, deadline=None)
@given(graphs())
def test_dependent_pairs_are_counted_as_if_enumerated(text: str) -> None:
    done = etc_opt(text, "--print-schedule-stats=check json", "-o", "/dev/null")
    assert done.returncode == 0, done.stderr
    (stats,) = json.loads(done.stdout)
    assert stats["naive_events"] == stats["naive_events_enumerated"], text


RUNS = re.compile(r"offsets \[([^\]]*)\] runs \[([^\]]*)\]")


@settings(max_examples=25, deadline=None)
@given(graphs(), st.data(), st.sampled_from(["drop", "repeat", "reverse"]))
def test_a_broken_schedule_is_refused(text: str, data: st.DataObject, how: str) -> None:
    done = etc_opt(text, *EVENTS, "--schedule-static=workers=2 buckets=7")
    found = RUNS.search(done.stdout)
    assert found is not None, done.stderr
    offsets, words = ([int(w) for w in group.split(",")] for group in found.groups())
    runs = [words[i : i + 4] for i in range(0, len(words), 4)]
    mine = data.draw(st.integers(0, offsets[1] - 1))  # a run of worker 0, which has the first task
    if how == "drop":
        del runs[mine]
        offsets = [0, *(o - 1 for o in offsets[1:])]
    elif how == "repeat":
        runs.insert(mine, runs[mine])
        offsets = [0, *(o + 1 for o in offsets[1:])]
    else:
        ascending = runs[: offsets[1]]
        if ascending[0][0] == ascending[-1][0]:
            return  # One launch only: any order is right.
        runs[: offsets[1]] = ascending[::-1]
    flat = [str(word) for run in runs for word in run]
    broken = RUNS.sub(f"offsets {offsets} runs [{', '.join(flat)}]", done.stdout)
    refused = etc_opt(broken, "--verify-schedule")
    assert refused.returncode != 0 and "T11" in refused.stderr
