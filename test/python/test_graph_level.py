# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The task graph, executed after each phase and in orders that its events allow."""

from __future__ import annotations

import functools
import re

import pytest
from import_models import TOLERANCE, greatest_error, imported, model_of
from levels import TASKS, OneStep, lowered, parsed

from etc_mlir.errors import CompileError
from etc_mlir.interpreter.graph_level import GraphLevel, Order, earliest, latest, shuffled, starving
from etc_mlir.interpreter.torch_level import InterpreterError

GRAPH = "task.graph({})".format
INFERRED = (*TASKS, GRAPH("infer-events"))
FUSED = (*TASKS, GRAPH("infer-events,fuse-events"))
EVENTS = (*TASKS, "pipeline-events")
PREFETCHED = (*EVENTS, "linearize-tasks", "prefetch-weights")
PHASES = {
    "infer-events": INFERRED,
    "fuse-events": FUSED,
    "normalize-events": (*FUSED, GRAPH("normalize-events")),
    "events": EVENTS,
    "linearize-tasks": (*EVENTS, "linearize-tasks"),
    "prefetch-weights": PREFETCHED,
    "schedule-static": (*PREFETCHED, "schedule-static{workers=3 buckets=4x2,24x4}"),
    "schedule-static-list": (*PREFETCHED, "schedule-static{workers=3 policy=list}"),
}
ORDERS: dict[str, Order] = {
    "earliest": earliest,
    "latest": latest,
    "shuffled": shuffled(3),
    "starving": starving([1, 4, 9, 20]),
}


@functools.cache
def one_step(name: str) -> OneStep:
    return OneStep(name)


@pytest.mark.parametrize("tiles", ["workers=1", "workers=4", "workers=4 tile=linear:2x8"])
def test_sequential_program_equals_tensor_level(tiles: str) -> None:
    text = lowered("qwen3", TASKS[0], f"decompose-to-tasks{{{tiles}}}")
    # A sum may be split otherwise by a matrix product of another shape.
    assert one_step("qwen3").error(GraphLevel(parsed(text))) < TOLERANCE


@pytest.mark.parametrize("order", list(ORDERS))
@pytest.mark.parametrize("phase", list(PHASES))
def test_every_order_that_events_allow_gives_the_result(phase: str, order: str) -> None:
    module = parsed(lowered("qwen3", *PHASES[phase]))
    assert one_step("qwen3").error(GraphLevel(module, ORDERS[order])) < TOLERANCE


@pytest.mark.parametrize("name", ["qwen3", "llama_bias"])
def test_graph_equals_stock_model_over_steps(name: str) -> None:
    step = GraphLevel(parsed(lowered(name, *PHASES["schedule-static"])), latest)
    assert greatest_error(model_of(name), imported(name), step=step, steps=2) < TOLERANCE


LAUNCH = re.compile(r"task\.launch .* waits\((.*)\) notifies\((.*)\)(?: affinity| loc|$)")


def launches(text: str) -> list[tuple[str, list[str], list[str]]]:
    """(line, its waits, its notifies) of every launch."""
    lines = [line for line in text.splitlines() if "task.launch" in line]
    matches = [LAUNCH.search(line) for line in lines]
    split = re.compile(r", (?=%)").split
    return [
        (line, split(m[1]) if m[1] else [], split(m[2]) if m[2] else [])
        for line, m in zip(lines, matches, strict=True)
        if m
    ]


def edges(text: str) -> list[tuple[str, set[int]]]:
    """For every wait: the text without it, and the positions of the launches it waited for."""
    found = []
    every = launches(text)
    for line, waits, _ in every:
        for wait in waits:
            event = wait.split(" ")[0]
            before = {
                p for p, (_, _, n) in enumerate(every) if any(e.split()[0] == event for e in n)
            }
            kept = ", ".join(w for w in waits if w != wait)
            damaged = line.replace(f"waits({', '.join(waits)})", f"waits({kept})")
            assert before and damaged != line
            found.append((text.replace(line, damaged), before))
    assert found
    return found


def refused(text: str) -> bool:
    try:
        parsed(text).run("builtin.module(task.graph(verify-events))")
    except CompileError as error:
        return "E9: " in str(error)
    return False


@pytest.mark.parametrize("part", range(4))
def test_dropped_edge_is_noticed(part: int) -> None:
    """By an order that it would have forbidden, just if the verifier says that it matters."""
    some = edges(lowered("qwen3", *EVENTS))[part::12]
    for damaged, before in some:
        error = one_step("qwen3").error(GraphLevel(parsed(damaged), starving(before)))
        assert refused(damaged) == (not error < TOLERANCE)
    # What other events imply is few.
    assert sum(refused(damaged) for damaged, _ in some) >= len(some) - 1


def test_program_order_hides_a_dropped_edge() -> None:
    """So the orders above are what finds it."""
    text = lowered("qwen3", *EVENTS)
    step = GraphLevel(parsed(edges(text)[0][0]), earliest)
    assert one_step("qwen3").error(step) < TOLERANCE


@pytest.mark.parametrize(
    ("count", "message"), [(99, "which are never reached"), (1, "notifies .* more than 1x")]
)
def test_wrong_count_is_an_error(count: int, message: str) -> None:
    """Of the event that the first linear layer notifies, once per task."""
    pattern = r'(event\.create "linear\.0.*count) #map\d+'
    replacement = rf"\1 affine_map<()[s0, s1] -> ({count})>"
    text, changed = re.subn(pattern, replacement, lowered("qwen3", *EVENTS))
    assert changed > 0
    with pytest.raises(InterpreterError, match=message):
        one_step("qwen3").error(GraphLevel(parsed(text), latest))


def test_wrong_region_is_noticed() -> None:
    """A task that leaves out the last rows of its tile."""
    text = lowered("qwen3", *TASKS)
    found = re.search(r"task\.launch @rope_0 .*", text)
    assert found is not None
    damaged = found[0].replace("(d0, 0, 0) sizes [1,", "(0, 0, 0) sizes [1,")
    step = GraphLevel(parsed(text.replace(found[0], damaged)))
    assert not one_step("qwen3").error(step) < TOLERANCE


def test_a_schedule_that_lacks_a_task_is_an_error() -> None:
    text = lowered("qwen3", *PHASES["schedule-static-list"])
    text, changed = re.subn(r"(runs \[\d+), \d+", r"\1, 999", text)
    assert changed > 0
    with pytest.raises(InterpreterError, match="the schedule does not run task"):
        one_step("qwen3").error(GraphLevel(parsed(text), latest))
