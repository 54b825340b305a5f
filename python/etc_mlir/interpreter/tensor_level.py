# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Executes a step on tensors: what the pipeline `pipeline-import` gives."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from etc_mlir import _etc
from etc_mlir.interpreter.operations import Env, check, evaluate
from etc_mlir.interpreter.torch_level import InterpreterError
from etc_mlir.runtime.layout import stack_rows


class TensorLevel:
    """The step of a module, which must not change while this lives."""

    def __init__(self, module: _etc.Module) -> None:
        steps = [
            op
            for op in module.body.operations
            if op.name == "func.func" and "task.symbols" in op.attributes
        ]
        if len(steps) != 1:
            raise InterpreterError(f"the module has {len(steps)} steps, not one")
        attributes = steps[0].attributes
        self.symbols = Symbols(attributes["task.symbols"])
        self.arguments: list[dict[str, Any]] = attributes.get("arg_attrs", [])
        self.results: list[dict[str, Any]] = attributes.get("res_attrs", [])
        self._module, self._block = module, steps[0].regions[0].blocks[0]

    def run(self, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Argument name -> tensor gives result name -> tensor; what is given is not changed.

        A destination that nobody has written is NaN. Raises InterpreterError for a missing
        argument, extents that no value of the symbols explains, and what `evaluate` refuses.
        """
        env: Env = {}
        values: dict[int, int] = {}
        for port, value in zip(self.arguments, self._block.arguments, strict=True):
            tensor = take(given, port["task.name"], value, port.get("task.stack"))
            self.symbols.bind(values, port["task.shape"], tensor)
            env[value] = tensor
        names = [port["task.name"] for port in self.results]
        with torch.no_grad():
            for op in self._block.operations:
                if op.name == "func.return":
                    return dict(zip(names, [env[v] for v in op.operands], strict=True))
                evaluate(op, env)
        raise InterpreterError("the step has no func.return")


class Symbols:
    """Names and ranges of a step's symbols; their values follow from the extents of arguments."""

    def __init__(self, attributes: list[dict[str, Any]]) -> None:
        self._symbols = attributes

    def bind(self, values: dict[int, int], shape: _etc.AffineMap, tensor: Tensor) -> None:
        """Adds to `values`, by position. Raises InterpreterError where extents contradict."""
        for result, size in enumerate(tensor.shape):
            position = self._symbol(shape, result)
            if position is None:
                continue
            symbol = self._symbols[position]
            known = values.setdefault(position, size)
            if known != size or not symbol["min"] <= size <= symbol["max"]:
                raise InterpreterError(
                    f"{symbol['name']} is {size}; it must be in [{symbol['min']}, "
                    f"{symbol['max']}] and the same everywhere, here {known}"
                )

    def ordered(self, values: dict[int, int]) -> list[int]:
        """One value per symbol. Raises InterpreterError if the arguments lack one."""
        if len(values) != len(self._symbols):
            raise InterpreterError("the arguments do not give every symbol")
        return [values[i] for i in range(len(self._symbols))]

    def _symbol(self, shape: _etc.AffineMap, result: int) -> int | None:
        """The symbol that an extent is. An extent that is none, but depends on one, is refused."""
        count = len(self._symbols)
        at_zero = shape([], [0] * count)[result]
        units = [[int(i == j) for i in range(count)] for j in range(count)]
        changes = [shape([], unit)[result] - at_zero for unit in units]
        if not any(changes):
            return None
        if at_zero or sorted(changes)[-1] != 1 or sum(changes) != 1:
            raise InterpreterError(f"an extent of {shape} is not one symbol")
        return changes.index(1)


def take(
    given: Mapping[str, Tensor], name: str, value: _etc.Value, stack: str | None = None
) -> Tensor:
    """The argument, checked against its type. stack: the attribute `#task.stack` of a weight that
    is made of others; those are in `given`. Raises InterpreterError."""
    if stack is not None and name not in given:
        sources, rows = parse_stack(stack)
        for source in sources:
            if source not in given:
                raise InterpreterError(f"'{source}', of which '{name}' is made, is not given")
        tensor = stack_rows([given[source] for source in sources], rows)
    elif name not in given:
        raise InterpreterError(f"argument '{name}' is not given")
    else:
        tensor = given[name]
    check(tensor, value, f"argument '{name}'")
    return tensor


def parse_stack(text: str) -> tuple[list[str], int]:
    """The sources and the rows of `#task.stack<["a", "b"] by 8>`."""
    found = re.fullmatch(r"#task\.stack<(\[.*\]) by (\d+)>", text)
    if found is None:
        raise InterpreterError(f"{text} is no stack")
    return json.loads(found[1]), int(found[2])
