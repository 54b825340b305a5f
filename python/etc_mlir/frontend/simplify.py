# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Clean-ups of the exported graph, each of which leaves its meaning as it is.

They remove what the detour through Hugging Face's head-major layout added, so that the text has one
form for one thing: fewer operators for the conversion to know.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.fx import Graph, Node

_aten = torch.ops.aten
_ASSERTS = frozenset({"aten::_assert_tensor_metadata", "aten::_assert_scalar"})


def simplify(graph: Graph) -> None:
    """Rewrites the graph in place to a form with none of the patterns below, and no dead nodes."""
    rules: tuple[Callable[[Graph, Node], Node | None], ...] = (
        _cancel_transpose,
        _drop_copy,
        _drop_full_slice,
        _index_to_select,
    )
    for node in list(graph.nodes):
        if _is_assert(node):
            # Its conditions are the ranges of the symbols, which `etc.symbols` states.
            graph.erase_node(node)
            continue
        if node.op != "call_function":
            continue
        _spell_out_view(node)
        for rule in rules:
            new = rule(graph, node)
            if new is not None:
                node.replace_all_uses_with(new)
                break
    graph.eliminate_dead_code()
    graph.lint()


def _is_assert(node: Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    return node.op == "call_function" and schema is not None and schema.name in _ASSERTS


def _cancel_transpose(graph: Graph, node: Node) -> Node | None:
    """transpose(transpose(x, a, b), a, b) -> x"""
    inner = node.args[0] if node.args else None
    if not (
        node.target is _aten.transpose.int
        and isinstance(inner, Node)
        and inner.target is _aten.transpose.int
    ):
        return None
    rank = node.meta["val"].dim()
    if {d % rank for d in node.args[1:3]} != {d % rank for d in inner.args[1:3]}:  # type: ignore[operator]
        return None
    assert isinstance(inner.args[0], Node)
    return inner.args[0]


def _drop_copy(graph: Graph, node: Node) -> Node | None:
    """A copy of a value is that value: the graph is functional, and layout is not in the types."""
    copies = (
        _aten.clone.default,
        _aten.contiguous.default,
        _aten.alias.default,
        _aten.detach.default,
        _aten._to_copy.default,
        _aten.to.dtype,
        _aten.to.device,
    )
    if node.target not in copies:
        return None
    source = node.args[0]
    assert isinstance(source, Node)
    old, new = source.meta["val"], node.meta["val"]
    return source if old.dtype == new.dtype and old.device == new.device else None


def _drop_full_slice(graph: Graph, node: Node) -> Node | None:
    """x[:] -> x"""
    if node.target is not _aten.slice.Tensor:
        return None
    source, _, start, end, step = (*node.args, *(0, 0, None, 1)[len(node.args) - 1 :])
    full_end = end is None or (isinstance(end, int) and end >= 2**62)
    return source if start in (None, 0) and full_end and step == 1 else None  # type: ignore[return-value]


def _index_to_select(graph: Graph, node: Node) -> Node | None:
    """x[:, i] with a vector i of integers -> index_select(x, 1, i)"""
    if node.target is not _aten.index.Tensor:
        return None
    source, indices = node.args
    assert isinstance(indices, list | tuple)
    used = [(d, i) for d, i in enumerate(indices) if i is not None]
    if len(used) != 1:
        return None
    dim, index = used[0]
    assert isinstance(index, Node)
    value = index.meta["val"]
    if value.dim() != 1 or value.dtype not in (torch.int64, torch.int32):
        return None
    with graph.inserting_before(node):
        new = graph.call_function(_aten.index_select.default, (source, dim, index))
    new.meta = dict(node.meta)
    return new


def _spell_out_view(node: Node) -> None:
    """The -1 of a view becomes the number that it stands for, where that is a number."""
    if node.target not in (_aten.view.default, _aten.reshape.default):
        return
    source, sizes = node.args
    assert isinstance(source, Node) and isinstance(sizes, list | tuple)
    if -1 in sizes:
        at = list(sizes).index(-1)
        size = node.meta["val"].shape[at]
        if isinstance(size, int):
            sizes = [*sizes[:at], size, *sizes[at + 1 :]]
    node.target = _aten.view.default
    node.args = (source, sizes)
