# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The meaning of the operators that the compiler makes of several, in torch.

Letters: T tokens, B sequences, M pages a sequence may have, H query heads, G key/value heads, D
head size, S parts of a sequence's positions, P tokens of a page.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor
from torch.nn import functional

# The maximum of no score at all; finite, so that the difference of two is a number.
EMPTY = -3e38
# Outputs of a row tile, of which `task.linear` finds the best.
TILE = 16


@dataclasses.dataclass(frozen=True)
class Step:
    """qkv [T, (H + 2 G) D], cos and sin [T, D] of one dtype; seq, pos [T], block_table [B, M] i64.

    Of a task, qkv has all heads and block_table the rows of the task's sequences.
    """

    qkv: Tensor
    cos: Tensor
    sin: Tensor
    seq: Tensor
    pos: Tensor
    block_table: Tensor


def linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    norm: Tensor | None = None,
    residual: Tensor | None = None,
    *,
    eps: float | None = None,
    gated: bool = False,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """residual + act(bias + norm(x) @ weight.T): x [T, K], weight [N, K] -> [T, N] of `dtype`, by
    default the weight's.

    Sums are f32 and rounded once, at the end. norm [K]: x * norm is rounded to the weight's dtype,
    the factor of a row is applied to its sums. gated: weight is [2 N, K], of each 16 rows eight
    gates and eight ups.
    """
    rows = x
    if norm is not None:
        rows = (x.float() * norm.float()).to(weight.dtype)
    sums = rows.float() @ weight.float().T
    if norm is not None:
        sums = sums * torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + float(eps or 0.0))
    if bias is not None:
        sums = sums + bias.float()
    if gated:
        gate, up = sums.unflatten(-1, (-1, 2, 8)).unbind(-2)
        sums = (functional.silu(gate) * up).flatten(-2)
    if residual is not None:
        sums = sums + residual.float()
    return sums.to(dtype or weight.dtype)


def best_of_tiles(outputs: Tensor) -> Tensor:
    """`best` [T, tiles] i32 of outputs [T, 16 tiles], of 16 bits.

    A word has the bits of the largest of 16 outputs above the number of the first that has it.
    """
    tiles = outputs.unflatten(-1, (-1, TILE))
    place = (tiles == tiles.amax(-1, keepdim=True)).int().argmax(-1, keepdim=True)
    bits = tiles.gather(-1, place).contiguous().view(torch.int16).long() & 0xFFFF
    return (bits << 16 | place)[..., 0].to(torch.int32)


def argmax_of_tiles(best: Tensor, of: int) -> Tensor:
    """The lowest index of the largest output: words of `best_of_tiles` [R, tiles] -> [R] i64."""
    values = (best & -65536).view(torch.float32)
    tile = (values == values.amax(-1, keepdim=True)).int().argmax(-1, keepdim=True)
    return (tile * of + (best.gather(-1, tile) & 0xFFFF))[:, 0]


def split_attention(
    step: Step,
    cache: Tensor,
    partial: Tensor,
    *,
    origin: tuple[int, int, int],
    parts: int,
    scale: float,
    norms: tuple[Tensor, Tensor, float] | None = None,
    older: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The new cache [pages, G, 2, P, D] and partial [T, H, S, D + 2] f32, both whole or of a task.

    origin: the sequence, the key/value head and the part with which they begin; parts: S of the
    whole; norms: weights [D] of queries and keys, and their eps; older: the cache as it was when
    its rows were streamed, for sequences that have one token. Rows of partial whose tokens are of
    other sequences stay as they are.
    """
    cache, partial = cache.clone(), partial.clone()
    heads, count = cache.shape[1], partial.shape[2]
    group = partial.shape[1] // heads
    q, k, v = _heads(step, group, cache.shape[4], norms)
    first, own = origin[1], slice(origin[1], origin[1] + heads)
    q, k, v = q[:, first * group : (first + heads) * group], k[:, own], v[:, own]
    for row, pages in enumerate(step.block_table):
        mine = (step.seq == origin[0] + row).nonzero()[:, 0]
        if not len(mine):
            continue
        length = int(step.pos[mine].max()) + 1
        size = 8 * -(-length // (8 * parts))
        for part in range(count):
            begin = (origin[2] + part) * size
            span = range(begin, max(begin, min(length, begin + size)))
            fresh = [t for t in mine if int(step.pos[t]) in span]
            _append(cache, pages, k, v, step.pos, fresh)
            rows = cache
            if older is not None and len(mine) == 1:
                rows = older.clone()
                _append(rows, pages, k, v, step.pos, fresh)
            for t in mine.tolist():
                seen = span[: max(0, int(step.pos[t]) + 1 - begin)]
                partial[t, :, part] = _attend(q[t], rows, pages, seen, scale)
    return cache, partial


def merge_splits(partial: Tensor, dtype: torch.dtype) -> Tensor:
    """The attention of all positions: partial [T, H, S, D + 2] f32 -> [T, H, D] of `dtype`."""
    sums, most, weights = partial[..., :-2], partial[..., -2], partial[..., -1]
    factors = torch.exp(most - most.amax(-1, keepdim=True))
    return ((factors[..., None] * sums).sum(2) / (factors * weights).sum(2)[..., None]).to(dtype)


def _heads(
    step: Step, group: int, size: int, norms: tuple[Tensor, Tensor, float] | None
) -> tuple[Tensor, Tensor, Tensor]:
    """q [T, H, D] and k [T, G, D], normed and rotated, f32, and v [T, G, D] of all heads."""
    every = step.qkv.unflatten(1, (-1, size))
    kv_heads = every.shape[1] // (group + 2)
    q, k, v = every.split([group * kv_heads, kv_heads, kv_heads], 1)
    found = []
    for x, norm in ((q, norms and norms[0]), (k, norms and norms[1])):
        x = x.float()
        if norms is not None and norm is not None:
            x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + norms[2]) * norm.float()
        low, high = x.chunk(2, -1)
        turned = torch.cat((-high, low), -1)
        found.append(x * step.cos.float()[:, None] + turned * step.sin.float()[:, None])
    return found[0], found[1], v


def _append(
    cache: Tensor, pages: Tensor, k: Tensor, v: Tensor, pos: Tensor, tokens: list[Tensor]
) -> None:
    for t in tokens:
        page, slot = divmod(int(pos[t]), cache.shape[3])
        cache[pages[page], :, 0, slot] = k[t].to(cache.dtype)
        cache[pages[page], :, 1, slot] = v[t]


def _attend(q: Tensor, cache: Tensor, pages: Tensor, seen: range, scale: float) -> Tensor:
    """One token's queries [H, D] over the positions `seen` -> [H, D + 2] f32."""
    _, heads, _, page_tokens, size = cache.shape
    if not seen:
        empty = torch.zeros(len(q), size + 2, device=q.device)
        empty[:, size] = EMPTY
        return empty
    positions = torch.tensor(list(seen), device=q.device)
    kv = cache[pages[positions // page_tokens], :, :, positions % page_tokens].float()
    keys, values = kv.permute(2, 1, 0, 3)  # [2, G, positions, D]
    scores = scale * q.view(heads, -1, size) @ keys.transpose(1, 2)
    most = scores.amax(-1, keepdim=True)
    weights = torch.exp(scores - most)
    return torch.cat((weights @ values, most, weights.sum(-1, keepdim=True)), -1).flatten(0, 1)
