# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Executes a task graph, at any phase from decompose-to-tasks to the schedule, in torch.

Tasks run one at a time, each on the views of its regions. `Order` picks the next of those that may
run: their events have been reached and, where the module has schedules, their worker has come to
them. Scratch starts as poison, buffers that share memory share it here, and what stands before a
task's `task.ready` runs before the first task of the step. So if an event is missing, some order
gives nonsense, and `latest` is good at finding it.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from etc_mlir import _etc
from etc_mlir.interpreter.operations import DTYPES, Env, check, evaluate, poison
from etc_mlir.interpreter.tensor_level import Symbols, take
from etc_mlir.interpreter.torch_level import InterpreterError

Entry = tuple[str, tuple[int, ...]]
# A task is (position of its launch, number in it). Of those that may run, the one that does.
Order = Callable[[list[tuple[int, int]]], tuple[int, int]]


def earliest(ready: list[tuple[int, int]]) -> tuple[int, int]:
    """The order of the sequential program, as far as the events allow."""
    return min(ready)


def latest(ready: list[tuple[int, int]]) -> tuple[int, int]:
    """The order furthest from the sequential program: what waits for too little runs too soon."""
    return max(ready)


def shuffled(seed: int) -> Order:
    """Some order."""
    return random.Random(seed).choice


def starving(launches: Collection[int]) -> Order:
    """These launches only when nothing else may run: whoever should wait for them does not."""
    return lambda ready: max(ready, key=lambda task: (task[0] not in launches, task))


# event::Reuse::carried
_CARRIED = 2


@dataclasses.dataclass
class Launch:
    """A `task.launch` with its attributes read once. operands: what it reads, `reads` of them,
    then what it writes.
    """

    body: _etc.Block
    grid: _etc.AffineMap
    operands: list[_etc.Value]
    regions: list[dict[str, Any]]
    waits: list[tuple[str, _etc.AffineMap]]
    notifies: list[tuple[str, _etc.AffineMap]]
    location: str
    reads: int


@dataclasses.dataclass
class Event:
    """An `event.create`."""

    name: str
    shape: _etc.AffineMap
    count: _etc.AffineMap


@dataclasses.dataclass
class Task:
    launch: Launch
    key: tuple[int, int]  # the position of the launch, the number in it
    coordinates: tuple[int, ...]
    env: Env
    rest: Iterator[_etc.Operation]  # the body from here on
    waits: list[Entry]

    def __str__(self) -> str:
        return f"task {self.coordinates} of the launch at {self.launch.location}"


class GraphLevel:
    """The only graph of a module, which must not change while this lives."""

    def __init__(self, module: _etc.Module, order: Order | None = None) -> None:
        """order: None runs the sequential program and looks at no event.

        Raises InterpreterError for an order where words of memory say when they were written: what
        their readers wait for is no event."""
        operations = module.body.operations
        graphs = [op for op in operations if op.name == "task.graph"]
        if len(graphs) != 1:
            raise InterpreterError(f"the module has {len(graphs)} task graphs, not one")
        self._module, self._order = module, order
        self.symbols = Symbols(graphs[0].attributes["symbols"])
        bodies = {
            op.attributes["sym_name"]: op.regions[0].blocks[0]
            for op in operations
            if op.name == "task.func"
        }
        inner = graphs[0].regions[0].blocks[0].operations
        self._buffers = [op for op in inner if op.name not in ("task.launch", "event.create")]
        tagged = next((op for op in inner if _is_tagged(op)), None)
        if tagged is not None and order is not None:
            raise InterpreterError(
                f"'{tagged.attributes['name']}' is handed over as data: only the sequential "
                "program (order=None) is executed"
            )
        self._events = {}
        for op in inner:
            # A carried event orders nothing within a step, and this runs one.
            if op.name == "event.create" and op.attributes["reuse"] != _CARRIED:
                attributes = op.attributes
                # Names are for people: two events may share one.
                key = f"{attributes['name']}#{len(self._events)}"
                self._events[op.results[0]] = Event(key, attributes["shape"], attributes["count"])
        self._launches = [
            _launch(op, bodies, self._events) for op in inner if op.name == "task.launch"
        ]
        self._schedules = [op.attributes for op in operations if op.name == "task.schedule"]

    def run(self, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """One step: inputs, weights and states by name give outputs and states by name.

        What is given is not changed. Raises InterpreterError for a missing argument, for tasks
        whose events are never reached, and for an event that is notified more than it counts.
        """
        with torch.no_grad():
            given = self._arguments(given)
            values = self._bind(given)
            buffers = self._allocate(given, values)
            tasks = [
                task
                for position, launch in enumerate(self._launches)
                for task in _tasks(launch, position, buffers, values)
            ]
            if self._order is None:
                for task in tasks:
                    self._execute(task)
            else:
                self._run_by_events(tasks, values, self._order)
        return {
            op.attributes["name"]: buffers[op.results[0]]
            for op in self._buffers
            if op.name == "task.argument" and _role(op) in ("output", "state")
        }

    def _execute(self, task: Task) -> None:
        _finish(task)

    def _arguments(self, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the graph reads, of what is given; a weight that is a stack is made here."""
        return {
            a["name"]: take(given, a["name"], op.results[0], a.get("stack"))
            for op, a in ((op, op.attributes) for op in self._buffers if _is_given(op))
        }

    def _bind(self, given: Mapping[str, Tensor]) -> list[int]:
        values: dict[int, int] = {}
        for attributes in (op.attributes for op in self._buffers if _is_given(op)):
            self.symbols.bind(values, attributes["shape"], given[attributes["name"]])
        return self.symbols.ordered(values)

    def _allocate(self, given: Mapping[str, Tensor], values: list[int]) -> Env:
        """Buffers and their views. States are copies, outputs and scratch are poison."""
        env: Env = {}
        arena = torch.full([self._scratch_bytes(values)], -1, dtype=torch.int8)  # -1: NaN
        for op in self._buffers:
            attributes = op.attributes
            if op.name == "task.argument" and _role(op) != "output":
                tensor = given[attributes["name"]]
                env[op.results[0]] = tensor.clone() if _role(op) == "state" else tensor
            elif op.name in ("task.argument", "task.scratch"):
                shape, dtype = attributes["shape"]([], values), DTYPES[op.results[0].dtype]
                offset = attributes.get("offset")
                if offset is None:
                    env[op.results[0]] = poison(shape, dtype)
                else:
                    size = _elements(shape) * dtype.itemsize
                    env[op.results[0]] = arena[offset : offset + size].view(dtype).view(shape)
            else:
                evaluate(op, env)
        return env

    def _scratch_bytes(self, values: list[int]) -> int:
        end = 0
        for op in self._buffers:
            offset = op.attributes.get("offset")
            if op.name == "task.scratch" and offset is not None:
                elements = _elements(op.attributes["shape"]([], values))
                end = max(end, offset + elements * DTYPES[op.results[0].dtype].itemsize)
        return end

    def _run_by_events(self, tasks: list[Task], values: list[int], order: Order) -> None:
        counts = {e.name: e.count([], values)[0] for e in self._events.values()}
        shapes = {e.name: e.shape([], values) for e in self._events.values()}
        seen: dict[Entry, int] = defaultdict(int)
        waiting: dict[Entry, list[Task]] = defaultdict(list)
        missing = {task.key: len(task.waits) for task in tasks}
        follower = self._followers(tasks, values)
        for task in follower.values():
            missing[task.key] += 1
        for task in tasks:
            for entry in task.waits:
                _check_entry(entry, shapes, task)
                waiting[entry].append(task)
        ready = {task.key: task for task in tasks if missing[task.key] == 0}
        finished = 0

        def wake(task: Task) -> None:
            missing[task.key] -= 1
            if missing[task.key] == 0:
                ready[task.key] = task

        while ready:
            task = ready.pop(order(list(ready)))
            self._execute(task)
            finished += 1
            if task.key in follower:
                wake(follower[task.key])
            for name, map_ in task.launch.notifies:
                entry = name, tuple(map_(task.coordinates, values))
                _check_entry(entry, shapes, task)
                seen[entry] += 1
                if seen[entry] > counts[name]:
                    raise InterpreterError(f"{task} notifies {entry} more than {counts[name]}x")
                if seen[entry] == counts[name]:
                    for woken in waiting.pop(entry, []):
                        wake(woken)
        if finished < len(tasks):
            stuck = next(task for task in tasks if missing[task.key])
            raise InterpreterError(f"{stuck} waits for {stuck.waits}, which are never reached")

    def _followers(self, tasks: list[Task], values: list[int]) -> dict[tuple[int, int], Task]:
        """Which task a worker runs after which, in the smallest bucket that holds the step."""
        fitting = [
            s
            for s in self._schedules
            if all(b >= v for b, v in zip(s["bucket"], values, strict=True))
        ]
        if not fitting:
            if self._schedules:
                raise InterpreterError(f"no bucket holds {values}")
            return {}
        schedule = min(fitting, key=lambda s: s["bucket"])
        at = {(task.key[0], task.coordinates): task for task in tasks}
        words = schedule["runs"]
        runs = [words[i : i + 4] for i in range(0, len(words), 4)]
        found: dict[tuple[int, int], Task] = {}
        for begin, end in itertools.pairwise(schedule["offsets"]):
            mine: list[Task] = []
            for launch, first, stride, count in runs[begin:end]:
                grid = self._launches[launch].grid([], schedule["bucket"])
                for number in range(first, first + stride * count, stride):
                    # Outside of this step's grid: skipped.
                    task = at.pop((launch, _delinearize(number, grid)), None)
                    mine += [task] if task else []
            found.update((task.key, follower) for task, follower in itertools.pairwise(mine))
        if at:
            raise InterpreterError(f"the schedule does not run {next(iter(at.values()))}")
        return found


def _delinearize(task: int, grid: list[int]) -> tuple[int, ...]:
    """The coordinates of a task, the last dimension fastest."""
    coordinates: list[int] = []
    for extent in reversed(grid[1:]):
        coordinates.append(task % extent)
        task //= extent
    if grid:
        coordinates.append(task)
    return tuple(reversed(coordinates))


def _edges(
    ends: Sequence[_etc.Value], maps: Sequence[_etc.AffineMap], events: Mapping[_etc.Value, Event]
) -> list[tuple[str, _etc.AffineMap]]:
    return [(events[e].name, m) for e, m in zip(ends, maps, strict=True) if e in events]


def _launch(
    op: _etc.Operation, bodies: dict[str, _etc.Block], events: dict[_etc.Value, Event]
) -> Launch:
    attributes, operands = op.attributes, op.operands
    reads, writes, waits, _ = attributes["operandSegmentSizes"]
    waited = operands[reads + writes : reads + writes + waits]
    notified = operands[reads + writes + waits :]
    return Launch(
        bodies[attributes["body"]],
        attributes["grid"],
        operands[: reads + writes],
        [*attributes["read_regions"], *attributes["write_regions"]],
        _edges(waited, attributes["wait_maps"], events),
        _edges(notified, attributes["notify_maps"], events),
        op.location,
        reads,
    )


def _tasks(launch: Launch, position: int, buffers: Env, values: list[int]) -> Iterator[Task]:
    """The tasks of a launch, each as far as it may run before its events."""
    grid = itertools.product(*(range(n) for n in launch.grid([], values)))
    for number, coordinates in enumerate(grid):
        env: Env = {}
        views = [
            buffers[operand][_slices(region, coordinates, buffers[operand].shape)]
            for operand, region in zip(launch.operands, launch.regions, strict=True)
        ]
        for value, found in zip(launch.body.arguments, [*coordinates, *views], strict=True):
            check(found, value, f"a view of the launch at {launch.location}")
            env[value] = found
        waits = list(dict.fromkeys((n, tuple(m(coordinates, values))) for n, m in launch.waits))
        operations = launch.body.operations
        task = Task(launch, (position, number), coordinates, env, iter(operations), waits)
        if any(op.name == "task.ready" for op in operations):
            for op in task.rest:
                if op.name == "task.ready":
                    break
                evaluate(op, env)
        yield task


def _finish(task: Task) -> None:
    for op in task.rest:
        if op.name != "task.return":
            evaluate(op, task.env)


def _slices(
    region: dict[str, Any], coordinates: tuple[int, ...], extents: Sequence[int]
) -> tuple[slice, ...]:
    """The region at a task's coordinates, clipped at the end of the buffer."""
    found = []
    offsets = region["offsets"](coordinates)
    for offset, size, extent in zip(offsets, region["sizes"], extents, strict=True):
        end = extent if size is None else min(offset + size, extent)
        found.append(slice(min(offset, extent), end))
    return tuple(found)


def _check_entry(entry: Entry, shapes: dict[str, list[int]], task: Task) -> None:
    name, indices = entry
    if not all(0 <= i < size for i, size in zip(indices, shapes[name], strict=True)):
        raise InterpreterError(f"{task} names {entry}, outside of {shapes[name]}")


def _is_tagged(op: _etc.Operation) -> bool:
    return op.name == "task.scratch" and "#task.tagged" in op.results[0].type


def _is_given(op: _etc.Operation) -> bool:
    return op.name == "task.argument" and _role(op) in ("input", "weight", "state")


def _role(op: _etc.Operation) -> str:
    return _etc.ROLES[op.attributes["role"]]


def _elements(shape: list[int]) -> int:
    return torch.Size(shape).numel()
