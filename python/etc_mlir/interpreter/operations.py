# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What one operation of the tensor level, or of a task's body, computes, in torch.

An operator means the same on tensors, where it has results, and on views, which it overwrites. The
meaning of the tile operators is that of the operators of the import, `frontend/ops.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from etc_mlir import _etc
from etc_mlir.frontend import ops
from etc_mlir.interpreter import fused
from etc_mlir.interpreter.torch_level import InterpreterError

Env = dict[_etc.Value, Any]
DTYPES = {
    "f64": torch.float64,
    "f32": torch.float32,
    "f16": torch.float16,
    "bf16": torch.bfloat16,
    "i64": torch.int64,
    "i32": torch.int32,
    "i1": torch.bool,
}
# What memory holds that nobody has written: it makes a mess that shows.
_POISON_INT = -(2**40)
_POISON_I32 = 0x7F7FFFFF  # as the best of a tile: larger than any other
_DYNAMIC = -(2**63)  # the `?` of a static_output_shape


# What changes no value.
_HINTS = frozenset({"task.prefetch_part"})


def evaluate(op: _etc.Operation, env: Env) -> None:
    """Executes `op`: its results go to `env`, or its destinations are overwritten.

    Raises InterpreterError for an operation that is not known, one that torch refuses, and a tensor
    whose extents are not those of the type.
    """
    operands = [env[v] for v in op.operands]
    name = op.name
    try:
        if name in _SCALARS:
            results = [_SCALARS[name](op, *operands)]
        elif name in _VIEWS:
            results = [_VIEWS[name](op, *operands)]
        elif name in _TILES or name == "linalg.generic":
            results = _destinations(op, operands, env)
        elif name in _HINTS:
            results = []
        else:
            raise InterpreterError(f"{_describe(op)} is not known to the interpreter")
    except InterpreterError:
        raise
    except (RuntimeError, TypeError, IndexError, ValueError) as error:
        raise InterpreterError(f"{_describe(op)}: {error}") from error
    for value, result in zip(op.results, results, strict=True):
        env[value] = result
        check(result, value, _describe(op))


def check(tensor: Any, value: _etc.Value, what: str) -> None:
    """Raises InterpreterError where a tensor is not of the value's type."""
    shape = value.shape
    if shape is None or not isinstance(tensor, Tensor):
        return
    same = len(shape) == tensor.dim() and all(
        e is None or e == s for e, s in zip(shape, tensor.shape, strict=True)
    )
    if not same or DTYPES.get(value.dtype) != tensor.dtype:
        raise InterpreterError(
            f"{what} is {tuple(tensor.shape)} {tensor.dtype}, its type {value.type}"
        )


def poison(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """A tensor that nobody has written."""
    value = float("nan") if dtype.is_floating_point else _POISON_INT
    if dtype == torch.int32:
        value = _POISON_I32
    return torch.full(list(shape), value, dtype=dtype)


def _describe(op: _etc.Operation) -> str:
    return f"'{op.name}' at {op.location}"


def _destinations(op: _etc.Operation, operands: list[Any], env: Env) -> list[Tensor]:
    """The new values of the destinations: results on tensors, written through on views."""
    if op.name == "linalg.generic":
        inputs, _ = op.attributes["operandSegmentSizes"]
        values = _generic(op, operands[:inputs], operands[inputs:], env)
    else:
        found = _TILES[op.name](op, *operands)
        values = found if isinstance(found, tuple) else (found,)
    if op.results:
        return list(values)
    for destination, value in zip(operands[-len(values) :], values, strict=True):
        if destination.shape != value.shape:
            raise InterpreterError(f"{_describe(op)} makes {tuple(value.shape)}")
        destination.copy_(value)
    return []


# --- scalars and elementwise arithmetic -----------------------------------------------------------


def _binary(compute: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda op, x, y: compute(x, y)


def _unary(compute: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    return lambda op, x: compute(torch.as_tensor(x))


def _cast(op: _etc.Operation, x: Any) -> Tensor:
    return torch.as_tensor(x).to(DTYPES[op.results[0].type])


def _apply(op: _etc.Operation, *operands: int) -> int:
    found = op.attributes["map"]
    [result] = found(operands[: found.num_dims], operands[found.num_dims :])
    return result


_SCALARS: dict[str, Callable[..., Any]] = {
    "arith.constant": lambda op: op.attributes["value"],
    "arith.addf": _binary(lambda x, y: x + y),
    "arith.subf": _binary(lambda x, y: x - y),
    "arith.mulf": _binary(lambda x, y: x * y),
    "arith.divf": _binary(lambda x, y: x / y),
    "arith.addi": _binary(lambda x, y: x + y),
    "arith.muli": _binary(lambda x, y: x * y),
    "arith.negf": _unary(torch.neg),
    "arith.extf": _cast,
    "arith.truncf": _cast,
    "math.exp": _unary(torch.exp),
    "affine.apply": _apply,
    # Every task is as good as the first: nothing is kept between them.
    "task.first_task": lambda op: True,
}


# --- views ----------------------------------------------------------------------------------------


def _expand(op: _etc.Operation, x: Tensor, *extents: int) -> Tensor:
    given = iter(extents)
    static = op.attributes["static_output_shape"]
    return x.view([next(given) if size == _DYNAMIC else size for size in static])


def _collapse(op: _etc.Operation, x: Tensor) -> Tensor:
    shape = []
    for group in op.attributes["reassociation"]:
        extent = 1
        for dim in group:
            extent *= x.shape[dim]
        shape.append(extent)
    return x.view(shape)


def _empty(op: _etc.Operation, *extents: int) -> Tensor:
    given, result = iter(extents), op.results[0]
    shape = [next(given) if size is None else size for size in result.shape or []]
    return poison(shape, DTYPES[result.dtype])


_VIEWS: dict[str, Callable[..., Any]] = {
    "tensor.dim": lambda op, x, dim: x.shape[dim],
    "memref.dim": lambda op, x, dim: x.shape[dim],
    "tensor.empty": _empty,
    "tensor.expand_shape": _expand,
    "memref.expand_shape": _expand,
    "tensor.collapse_shape": _collapse,
    "memref.collapse_shape": _collapse,
    # The tile at the time of the stream, not what is written to its place later.
    "task.stream": lambda op, x: x.clone(),
    "task.stream_part": lambda op, seq, pos, pages, cache, *at: cache.clone(),
}


# --- operators ------------------------------------------------------------------------------------


def _segments(op: _etc.Operation, operands: Sequence[Any]) -> list[Any]:
    """One entry per operand of the operation's definition; None for an optional one left out."""
    given = iter(operands)
    return [next(given) if size else None for size in op.attributes["operandSegmentSizes"]]


def _linear(op: _etc.Operation, *operands: Any) -> Tensor | tuple[Tensor, Tensor]:
    attributes = op.attributes
    # `first` says where a tile is kept, not what it holds.
    x, weight, bias, norm, residual, _, out, best = _segments(op, operands)
    found = fused.linear(
        x,
        weight,
        bias,
        norm,
        residual,
        eps=attributes.get("eps"),
        gated="gated" in attributes,
        dtype=out.dtype,
    )
    return found if best is None else (found, fused.best_of_tiles(found))


def _argmax(op: _etc.Operation, values: Tensor, out: Tensor) -> Tensor:
    of = op.attributes.get("of")
    return ops.argmax(values) if of is None else fused.argmax_of_tiles(values, of)


def _split_attention(op: _etc.Operation, *operands: Any) -> tuple[Tensor, Tensor]:
    attributes = op.attributes
    *inputs, sequence, head, part, q_norm, k_norm, older, cache, partial = _segments(op, operands)
    return fused.split_attention(
        fused.Step(*inputs),
        cache,
        partial,
        origin=(sequence, head, part),
        parts=attributes["parts"],
        scale=attributes["scale"],
        norms=None if q_norm is None else (q_norm, k_norm, attributes["eps"]),
        older=older,
    )


def _rope_table(op: _etc.Operation, inv_freq: Tensor, pos: Tensor, cos: Tensor, sin: Any) -> Any:
    return tuple(ops.rope_table(inv_freq, pos, op.attributes["scaling"], cos.dtype))


def _kv_append(op: _etc.Operation, k: Tensor, v: Tensor, *rest: Tensor) -> Tensor:
    seq, pos, table, cache = rest
    return ops.kv_append(cache, k[None], v[None], seq, pos, table)


def _attention(op: _etc.Operation, q: Tensor, cache: Tensor, *rest: Tensor) -> Tensor:
    seq, pos, table, _ = rest
    return ops.paged_attention(q[None], cache, seq, pos, table, op.attributes["scale"])[0]


_TILES: dict[str, Callable[..., Any]] = {
    "task.embedding": lambda op, ids, table, out: table[ids].to(out.dtype),
    "task.rms_norm": lambda op, x, weight, out: ops.rms_norm(x, weight, op.attributes["eps"]),
    "task.linear": _linear,
    "task.rope_table": _rope_table,
    "task.rope": lambda op, x, cos, sin, out: ops.rope(x[None], cos, sin)[0],
    "task.kv_append": _kv_append,
    "task.attention": _attention,
    "task.split_attention": _split_attention,
    "task.merge_splits": lambda op, partial, out: fused.merge_splits(partial, out.dtype),
    "task.gather_rows": lambda op, x, rows, out: x[rows],
    "task.argmax": _argmax,
}


def _generic(
    op: _etc.Operation, inputs: list[Tensor], outputs: list[Tensor], env: Env
) -> tuple[Tensor, ...]:
    """linalg.generic whose maps only name dimensions.

    All points of the parallel dimensions at once, those of the reductions one after the other.
    """
    attributes = op.attributes
    maps = [[m.dim(i) for i in range(m.num_results)] for m in attributes["indexing_maps"]]
    extents: dict[int, int] = {}
    for dims, value in zip(maps, [*inputs, *outputs], strict=True):
        for dim, size in zip(dims, value.shape, strict=True):
            if extents.setdefault(dim, size) != size:
                raise InterpreterError(
                    f"{_describe(op)}: dimension {dim} is {extents[dim]} and {size}"
                )
    kinds = [str(kind) for kind in attributes["iterator_types"]]
    parallel = [d for d, kind in enumerate(kinds) if "parallel" in kind]
    reductions = [d for d in range(len(kinds)) if d not in parallel]
    values = list(outputs)
    for point in itertools.product(*(range(extents[d]) for d in reductions)):
        at = dict(zip(reductions, point, strict=True))
        aligned = [
            _align(value, dims, at, parallel)
            for value, dims in zip([*inputs, *values], maps, strict=True)
        ]
        shape = [extents[d] for d in parallel]
        values = [
            torch.as_tensor(result, dtype=out.dtype)
            .expand(shape)
            .permute([parallel.index(d) for d in dims])
            for result, dims, out in zip(
                _body(op, aligned, env), maps[len(inputs) :], outputs, strict=True
            )
        ]
    return tuple(values)


def _align(value: Tensor, dims: list[int], at: dict[int, int], parallel: list[int]) -> Tensor:
    """`value` at a point of the reductions, with one dimension for each parallel one."""
    picked = value[tuple(at.get(d, slice(None)) for d in dims)]
    kept = [d for d in dims if d not in at]
    picked = picked.permute([kept.index(d) for d in parallel if d in kept])
    for position, dim in enumerate(parallel):
        if dim not in kept:
            picked = picked.unsqueeze(position)
    return picked


def _body(op: _etc.Operation, arguments: list[Tensor], env: Env) -> list[Any]:
    block = op.regions[0].blocks[0]
    env.update(zip(block.arguments, arguments, strict=True))
    for inner in block.operations:
        operands = [env[v] for v in inner.operands]
        if inner.name == "linalg.yield":
            return operands
        if inner.name not in _SCALARS:
            raise InterpreterError(f"{_describe(inner)} is not known to the interpreter")
        env[inner.results[0]] = _SCALARS[inner.name](inner, *operands)
    raise InterpreterError(f"{_describe(op)} has no linalg.yield")
