# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Shadow versions: whether every task reads what the sequential program lets it read.

Every element of every buffer has a version, the launch that wrote it last. The program in its own
order says which versions each task must see. Then the graph is replayed in orders that its events
allow, each starving one launch: its tasks run only when nothing else may. A task that should wait
for the starved launch and does not then reads too soon, and one that overwrites what the starved
launch still reads does it too soon; either shows as a version, whatever the values are. Scratch
buffers that share memory share their versions.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from etc_mlir import _etc
from etc_mlir.errors import CheckError
from etc_mlir.interpreter.graph_level import GraphLevel, Order, Task, _role, _slices
from etc_mlir.interpreter.operations import DTYPES
from etc_mlir.model import Engine
from etc_mlir.trace import Trace

# A version is the launch's number from 1, then how many of its tasks have written the element:
# tasks of one launch may write the same region of a state, in any order.
_SHIFT = 32
Shadows = dict[_etc.Value, np.ndarray]


class Versions(GraphLevel):
    """The only graph of a module at the level of events, or scheduled."""

    def __init__(self, module: _etc.Module) -> None:
        super().__init__(module)
        (graph,) = (op for op in module.body.operations if op.name == "task.graph")
        self.symbol_list: list[dict[str, Any]] = graph.attributes["symbols"]
        # What is derived from regions holds for every schedule, so none restricts the orders.
        self._schedules = []
        self._launch_names = [
            op.attributes["body"]
            for op in graph.regions[0].blocks[0].operations
            if op.name == "task.launch"
        ]
        self._expected: dict[tuple[int, int], list[np.ndarray]] = {}
        self._learning = False
        self._fixed: set[_etc.Value] = set()
        self._names: dict[_etc.Value, str] = {}

    def check(self, values: list[int]) -> int:
        """Replays a step at these symbol values; gives the number of orders.

        Raises CheckError for a version that is not the sequential program's, InterpreterError for
        tasks whose events are never reached.
        """
        # What should be seen: in program order, with no memory shared.
        shadows, self._expected, self._learning = self._shadows(values, apart=True), {}, True
        for task in self._tasks(shadows, values):
            self._execute(task)
        wanted = self._results(shadows)
        shadows, self._learning = self._shadows(values, apart=False), False
        tasks = list(self._tasks(shadows, values))
        count = 0
        for order in _orders(len(self._launches)):
            for shadow in shadows.values():
                shadow[...] = 0
            self._run_by_events(tasks, values, order)
            for name, versions in self._results(shadows).items():
                if not np.array_equal(versions, wanted[name]):
                    raise CheckError(
                        f"after the step, '{name}' holds what "
                        f"{self._writer(versions, wanted[name])} wrote: two launches write it and "
                        "no event orders them"
                    )
            count += 1
        return count

    def _results(self, shadows: Shadows) -> dict[str, np.ndarray]:
        return {
            self._names[value]: shadows[value].copy()
            for op in self._buffers
            if op.name == "task.argument" and _role(op) in ("output", "state")
            for value in op.results
        }

    def _shadows(self, values: list[int], apart: bool) -> Shadows:
        """A version per element. apart: scratch buffers share nothing, whatever their offsets;
        otherwise an element's version is that of its first byte.
        """
        found: Shadows = {}
        arena = np.zeros(self._scratch_bytes(values), np.int64)
        for op in self._buffers:
            if op.name in ("memref.expand_shape", "memref.collapse_shape"):
                source, result = op.operands[0], op.results[0]
                # Of the extents of a view, one is symbolic at most.
                shape = [-1 if extent is None else extent for extent in result.shape or ()]
                found[result] = _reshaped(found[source], shape)
                self._names[result] = self._names[source]
                if source in self._fixed:
                    self._fixed.add(result)
            if op.name not in ("task.argument", "task.scratch"):
                continue
            attributes, result = op.attributes, op.results[0]
            self._names[result] = attributes["name"]
            if op.name == "task.argument" and _role(op) in ("input", "weight"):
                self._fixed.add(result)
            shape, offset = attributes["shape"]([], values), attributes.get("offset")
            if offset is None or apart:
                found[result] = np.zeros(shape, np.int64)
                continue
            size = DTYPES[result.dtype].itemsize
            elements = arena[offset : offset + math.prod(shape) * size : size]
            # A view of the arena: equal strides make the reshape one.
            found[result] = np.lib.stride_tricks.as_strided(
                elements,
                shape,
                [math.prod(shape[i + 1 :]) * size * arena.itemsize for i in range(len(shape))],
            )
        return found

    def _tasks(self, shadows: Shadows, values: list[int]) -> Iterator[Task]:
        """All tasks in program order; `env` holds the versions of their operands."""
        for position, launch in enumerate(self._launches):
            grid = itertools.product(*(range(n) for n in launch.grid([], values)))
            for number, coordinates in enumerate(grid):
                env: Any = {
                    i: shadows[operand][_slices(region, coordinates, shadows[operand].shape)]
                    for i, (operand, region) in enumerate(
                        zip(launch.operands, launch.regions, strict=True)
                    )
                }
                waits = list(
                    dict.fromkeys((n, tuple(m(coordinates, values))) for n, m in launch.waits)
                )
                yield Task(launch, (position, number), coordinates, env, iter(()), waits)

    def _execute(self, task: Task) -> None:
        """Compares the versions that the task reads, then sets those that it writes."""
        launch, position = task.launch, task.key[0]
        shadows: Any = list(task.env.values())
        reads = launch.reads
        seen = [
            (operand, shadow)
            for operand, shadow in zip(launch.operands[:reads], shadows, strict=False)
            if operand not in self._fixed
        ]
        if self._learning:
            self._expected[task.key] = [shadow.copy() for _, shadow in seen]
        else:
            for (operand, shadow), wanted in zip(seen, self._expected[task.key], strict=True):
                if not np.array_equal(shadow, wanted):
                    raise CheckError(self._describe(task, self._names[operand], shadow, wanted))
        for shadow in shadows[reads:]:
            again = (shadow >> _SHIFT) == position + 1
            shadow[...] = np.where(again, shadow + 1, ((position + 1) << _SHIFT) + 1)

    def _describe(self, task: Task, name: str, seen: np.ndarray, wanted: np.ndarray) -> str:
        position, number = task.key
        count = int((seen != wanted).sum())
        return (
            f"task {number} {list(task.coordinates)} of launch {position} "
            f"(@{self._launch_names[position]}) reads {count} elements of '{name}' as written by "
            f"{self._writer(seen, wanted)}, where the sequential program has "
            f"{self._writer(wanted, seen)}: an event is missing, or they share memory that they "
            "must not. Keep the phases (--keep) and look at the waits of that launch."
        )

    def _writer(self, versions: np.ndarray, other: np.ndarray) -> str:
        """Who wrote the first element in which two arrays of versions differ."""
        version = int(versions[versions != other][0])
        if version == 0:
            return "nobody"
        launch = (version >> _SHIFT) - 1
        tasks = version & ((1 << _SHIFT) - 1)
        of = f", {tasks} of its tasks" if tasks > 1 else ""
        return f"launch {launch} (@{self._launch_names[launch]}){of}"


def _reshaped(array: np.ndarray, shape: list[int]) -> np.ndarray:
    """The same memory in another shape; the strides are those of a contiguous array, scaled."""
    known = math.prod(extent for extent in shape if extent >= 0)
    shape = [array.size // known if extent < 0 else extent for extent in shape]
    step = array.strides[-1] if array.ndim else array.itemsize
    strides = [math.prod(shape[i + 1 :]) * step for i in range(len(shape))]
    return np.lib.stride_tricks.as_strided(array, shape, strides)


def _orders(launches: int) -> Iterator[Order]:
    """Each launch starved, its tasks then last to first and first to last."""
    for starved in range(launches):
        yield lambda ready, s=starved: max(ready, key=lambda t: (t[0] != s, t))
        yield lambda ready, s=starved: max(ready, key=lambda t: (t[0] != s, t[0], -t[1]))


class CheckedEngine:
    """An engine whose steps run only after their graph was checked, once for every T and R."""

    def __init__(self, engine: Engine, graph: str) -> None:
        """graph: the text of the scheduled module."""
        self._engine, self._checked = engine, set[tuple[int, ...]]()
        self._versions = Versions(_etc.Module.parse(_etc.Context(), graph))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def step(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """As the engine's; raises CheckError before anything runs."""
        extents = {"T": len(inputs["ids"]), "R": len(inputs["rows"])}
        values = tuple(extents[s["name"]] for s in self._versions.symbol_list)
        if values not in self._checked:
            self._versions.check(list(values))
            self._checked.add(values)
        return self._engine.step(inputs)

    def logits(self) -> np.ndarray:
        return self._engine.logits()

    def trace(self) -> Trace:
        return self._engine.trace()
