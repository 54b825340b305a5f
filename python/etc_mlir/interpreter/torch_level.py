# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Executes the text of an imported `@step` in torch, operator by operator: the import's oracle.

It knows no operator. A name is looked up in `torch.ops`, and the operands are bound to the schema
in order, so that a scalar that the text lacks, or that stands in another's place, is seen. The type
of every result is compared with the tensor that came out.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch_mlir import ir as _ir
from torch_mlir.dialects import torch as torch_dialect

# The registration of the `etc` operators is a side effect of their import.
from etc_mlir.frontend import ops as _ops  # noqa: F401

ir: Any = _ir  # a compiled module without type stubs

# c10::ScalarType, which is what a dtype is in the text.
_SCALAR_TYPES = {
    0: torch.uint8,
    1: torch.int8,
    3: torch.int32,
    4: torch.int64,
    5: torch.float16,
    6: torch.float32,
    7: torch.float64,
    11: torch.bool,
    15: torch.bfloat16,
}
_ELEMENTS = {
    "f64": torch.float64,
    "f32": torch.float32,
    "f16": torch.float16,
    "bf16": torch.bfloat16,
    "si64": torch.int64,
    "si32": torch.int32,
    "i1": torch.bool,
}
_VTENSOR = re.compile(r"!torch\.vtensor<\[([^\]]*)\],(\w+)>")
_CONSTANTS = {
    "torch.constant.int": int,
    "torch.constant.float": float,
    "torch.constant.bool": bool,
    "torch.constant.str": str,
}


class InterpreterError(RuntimeError):
    """The text cannot be executed; the message names the operation."""


@dataclasses.dataclass(frozen=True)
class Port:
    """An argument or result of the function: attributes `etc.name`, `etc.role`, `etc.dims`."""

    name: str
    role: str
    dims: tuple[str, ...] | None


class TorchLevel:
    """A parsed `@step`. `arguments` and `results` are its ports in order."""

    def __init__(self, text: str) -> None:
        self._context = ir.Context()
        self._context.allow_unregistered_dialects = True
        torch_dialect.register_dialect(self._context)
        self._module = ir.Module.parse(text, self._context)
        functions = [op.operation for op in self._module.body if op.operation.name == "func.func"]
        if len(functions) != 1:
            raise InterpreterError(f"the module has {len(functions)} functions, not one")
        self._function = functions[0]
        self._block = self._function.regions[0].blocks[0]
        attributes = self._function.attributes
        self.arguments = [_port(a) for a in attributes["arg_attrs"]]
        self.results = [_port(a) for a in attributes["res_attrs"]]
        self.symbols = {
            entry.name: tuple(bound.value for bound in entry.attr)
            for entry in attributes["etc.symbols"]
        }

    def run(
        self, given: Mapping[str, Tensor], trace: Callable[[str, Tensor], None] | None = None
    ) -> dict[str, Tensor]:
        """Executes the step: argument name -> tensor gives result name -> tensor.

        `trace(location, value)` is called with every tensor that an operation makes. Raises
        InterpreterError for a missing argument, a shape or dtype that is not the type's, and an
        operation that torch refuses.
        """
        values: dict[str, Any] = {}
        symbols: dict[str, int] = {}
        for port, argument in zip(self.arguments, self._block.arguments, strict=True):
            if port.name not in given:
                raise InterpreterError(f"argument '{port.name}' is not given")
            value = given[port.name]
            _check_type(value, argument.type, f"argument '{port.name}'")
            self._bind(port, value, symbols)
            values[argument.get_name()] = value
        with torch.no_grad():
            for view in self._block.operations:
                op = view.operation
                operands = [values[operand.get_name()] for operand in op.operands]
                if op.name == "func.return":
                    names = [port.name for port in self.results]
                    return dict(zip(names, operands, strict=True))
                outputs = _execute(op, operands)
                for result, value in zip(op.results, outputs, strict=True):
                    _check_type(value, result.type, f"a result of {_describe(op)}")
                    values[result.get_name()] = value
                    if trace is not None and isinstance(value, Tensor):
                        trace(str(op.location), value)
        raise InterpreterError("the function has no func.return")

    def _bind(self, port: Port, value: Tensor, symbols: dict[str, int]) -> None:
        for name, size in zip(port.dims or (), value.shape, strict=port.dims is not None):
            if name not in self.symbols:
                continue
            low, high = self.symbols[name]
            if not low <= size <= high or symbols.setdefault(name, size) != size:
                raise InterpreterError(
                    f"argument '{port.name}' has {name} = {size}; it must be in [{low}, {high}] "
                    f"and equal to the other arguments' ({symbols.get(name, size)})"
                )


def _port(attribute: Any) -> Port:
    found = {entry.name: entry.attr for entry in ir.DictAttr(attribute)}
    dims = tuple(d.value for d in found["etc.dims"]) if "etc.dims" in found else None
    return Port(found["etc.name"].value, found["etc.role"].value, dims)


def _execute(op: Any, operands: list[Any]) -> list[Any]:
    if op.name in _CONSTANTS:
        return [_CONSTANTS[op.name](op.attributes["value"].value)]
    if op.name == "torch.constant.none":
        return [None]
    if op.name == "torch.prim.ListConstruct":
        return [operands]
    overload = _overload(op)
    schema = overload._schema
    if len(operands) != len(schema.arguments):
        raise InterpreterError(
            f"{_describe(op)} has {len(operands)} operands, its schema {len(schema.arguments)}"
        )
    args, kwargs = [], {}
    for parameter, value in zip(schema.arguments, operands, strict=True):
        value = _convert(value, parameter)
        if parameter.kwarg_only:
            kwargs[parameter.name] = value
        else:
            args.append(value)
    try:
        result = overload(*args, **kwargs)
    except (RuntimeError, TypeError, IndexError, ValueError) as error:
        raise InterpreterError(f"{_describe(op)}: {error}") from error
    return list(result) if isinstance(result, tuple | list) else [result]


def _convert(value: Any, parameter: Any) -> Any:
    # In the schema of Python a ScalarType is an int; only its printed type tells them apart.
    is_dtype = str(parameter.real_type).removeprefix("Optional[").rstrip("]") == "ScalarType"
    return _SCALAR_TYPES[value] if is_dtype and value is not None else value


def _overload(op: Any) -> Any:
    name = op.attributes["name"].value if op.name == "torch.operator" else op.name
    space, packet, *overload = name.removeprefix("torch.").split(".")
    try:
        found = getattr(getattr(torch.ops, space), packet)
        # Where the text names no overload, the schema's name is empty, which torch calls default.
        return getattr(found, overload[0] if overload else "default")
    except AttributeError as error:
        raise InterpreterError(f"{_describe(op)}: torch has no such operator") from error


def _describe(op: Any) -> str:
    name = op.attributes["name"].value if op.name == "torch.operator" else op.name
    return f"'{name}' at {op.location}"


def _check_type(value: Any, type_: Any, what: str) -> None:
    match = _VTENSOR.fullmatch(str(type_))
    if match is None:
        return
    if not isinstance(value, Tensor):
        raise InterpreterError(f"{what} is {type(value).__name__}, its type {type_}")
    dims = match[1].split(",") if match[1] else []
    same = len(dims) == value.dim() and all(
        d == "?" or int(d) == s for d, s in zip(dims, value.shape, strict=True)
    )
    if not same or value.dtype != _ELEMENTS[match[2]]:
        raise InterpreterError(f"{what} is {tuple(value.shape)} {value.dtype}, its type {type_}")
