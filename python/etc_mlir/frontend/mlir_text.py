# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The exported graph as MLIR text, through torch-mlir's FX importer at `raw`.

Attributes that this adds to the function, whose name is `@step`:

    etc.symbols = {T = [1, 64], R = [1, 16]}      on the function: smallest and largest value
    etc.name, etc.role                            on every argument and result
    etc.dims = ["T", "8"]                         on those with a `?`: a symbol or a number each
    etc.tied = ["lm_head.weight"]                 on a weight that the model also has by other names
    etc.constant                                  on a weight that is in no checkpoint

A location is `"module.path"("package/file.py":line:0)`, relative to the import path.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.fx import Graph, Node
from torch_mlir import ir as _ir
from torch_mlir.dialects import torch as torch_dialect
from torch_mlir.extras.fx_importer import ContextCache, FxImporter

from etc_mlir.frontend.errors import UnsupportedOpError
from etc_mlir.frontend.supported import SUPPORTED_OPS

if TYPE_CHECKING:
    from etc_mlir.frontend.importer import Argument

ir: Any = _ir  # a compiled module without type stubs
FUNCTION = "step"
_PLUMBING = frozenset(
    {
        "func.return",
        "torch.constant.bool",
        "torch.constant.float",
        "torch.constant.int",
        "torch.constant.none",
        "torch.prim.ListConstruct",
    }
)
_FRAME = re.compile(r'File "([^"]+)", line ([0-9]+)')


def operator_name(node: Node) -> str:
    """The name that the text has for a call, without `torch.`: `aten.add.Tensor`."""
    target: Any = node.target
    if not isinstance(target, torch._ops.OpOverload):
        return getattr(target, "__name__", str(target))
    if target is torch.ops.aten.sym_size.int:
        return "aten.size.int"
    name = target._schema.name.replace("::", ".")
    overload = target._schema.overload_name
    return f"{name}.{overload}" if overload else name


def source_line(node: Node) -> str:
    """`package/file.py:line` of the model's code that made the node."""
    frame = _frame(node)
    return f"{frame[0]}:{frame[1]}" if frame else "an unknown place"


def scope(node: Node) -> str:
    """Path of the innermost module that made the node, as in the state dict; "" for the model."""
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    path = stack[-1][0] if stack else ""
    # `Step` holds the model as `model`; other paths are made up by torch's own passes.
    return path.removeprefix("model.") if path.startswith("model.") else ""


def emit(
    graph: Graph,
    arguments: Sequence[Argument],
    results: Sequence[Argument],
    ranges: dict[str, tuple[int, int]],
    constants: frozenset[str],
) -> str:
    """Generic text with locations. `arguments` and `results` are in the graph's order."""
    context = ir.Context()
    context.allow_unregistered_dialects = True
    torch_dialect.register_dialect(context)
    importer = FxImporter(context=context)
    # The importer's own locations name whole call stacks by absolute path.
    importer._cc.__class__ = _Locations
    function = importer.import_stateless_graph(graph, func_name=FUNCTION)
    with context:
        attributes = function.attributes
        attributes["arg_attrs"] = ir.ArrayAttr.get([_attributes(a, constants) for a in arguments])
        attributes["res_attrs"] = ir.ArrayAttr.get([_attributes(r, constants) for r in results])
        integer = ir.IntegerType.get_signless(64)
        attributes["etc.symbols"] = ir.DictAttr.get(
            {
                name: ir.ArrayAttr.get([ir.IntegerAttr.get(integer, bound) for bound in bounds])
                for name, bounds in ranges.items()
            }
        )
    importer.module.operation.verify()
    _check_operators(function)
    return importer.module.operation.get_asm(print_generic_op_form=True, enable_debug_info=True)


def _check_operators(function: Any) -> None:
    """The graph was checked before, but the FX importer renames: x * 2.0 is a mul.Scalar here."""
    for view in function.body.blocks[0].operations:
        op = view.operation
        name = op.attributes["name"].value if op.name == "torch.operator" else op.name
        if name not in _PLUMBING and name.removeprefix("torch.") not in SUPPORTED_OPS:
            raise UnsupportedOpError(name.removeprefix("torch."), str(op.location), "")


def _attributes(argument: Argument, constants: frozenset[str]) -> Any:
    found: dict[str, Any] = {
        "etc.name": ir.StringAttr.get(argument.name),
        "etc.role": ir.StringAttr.get(argument.role),
    }
    if any(isinstance(d, str) for d in argument.shape):
        found["etc.dims"] = _strings([str(d) for d in argument.shape])
    if argument.tied:
        found["etc.tied"] = _strings(argument.tied)
    if argument.name in constants:
        found["etc.constant"] = ir.UnitAttr.get()
    return ir.DictAttr.get(found)


def _strings(values: Sequence[str]) -> Any:
    return ir.ArrayAttr.get([ir.StringAttr.get(v) for v in values])


class _Locations(ContextCache):
    __slots__ = ()

    def get_node_location(self, node: Node) -> Any:
        frame = _frame(node)
        inner = ir.Location.unknown(context=self._c)
        if frame:
            inner = ir.Location.file(frame[0], frame[1], 0, context=self._c)
        name = scope(node)
        return ir.Location.name(name, inner, context=self._c) if name else inner


def _frame(node: Node) -> tuple[str, int] | None:
    """The innermost frame of the model, or else of `Step`; never one inside torch."""
    stack = node.meta.get("stack_trace") or ""
    # Frames of code that torch generated have no absolute path.
    found = [(p, int(line)) for p, line in _FRAME.findall(stack) if Path(p).is_absolute()]
    frames = [(_relative(path), line) for path, line in found]
    frames = [f for f in frames if not f[0].startswith("torch/")]
    theirs = [f for f in frames if not f[0].startswith("etc_mlir/")]
    return (theirs or frames or [None])[-1]


@functools.cache
def _relative(path: str) -> str:
    """The path below the longest entry of the import path, so that texts are alike everywhere."""
    roots = [Path(entry) for entry in sys.path if entry and Path(path).is_relative_to(entry)]
    if not roots:
        return Path(path).name
    return Path(path).relative_to(max(roots, key=lambda r: len(r.parts))).as_posix()
