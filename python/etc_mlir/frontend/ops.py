# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The operators that stay whole through the import, as torch custom ops of the namespace `etc`.

Each has a reference implementation in plain torch, which is its meaning, and a fake one, which
gives shapes and dtypes to `torch.export`. Activations are token-major: `[1, T, heads, D]`, where T
runs over the tokens of the step, of whichever sequence. Shapes below use:

    T tokens, R rows wanted, H query heads, KVH key/value heads (H % KVH == 0), D head size (even),
    S sequences, MP pages a sequence may have, PAGES pages in all, PT tokens of a page
"""

from __future__ import annotations

import torch
from torch import Tensor

_PURE = ()  # `mutates_args` of a functional op


@torch.library.custom_op("etc::rms_norm", mutates_args=_PURE)
def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Root-mean-square norm of the last dimension: x [..., N], weight [N] -> [..., N] of x's dtype.

    The mean and the scaling are float32; the result is rounded to x's dtype *before* the weight
    multiplies it, as Hugging Face does.
    """
    h = x.to(torch.float32)
    h = h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + eps)
    return weight * h.to(x.dtype)


@rms_norm.register_fake
def _(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    _require(weight.dim() == 1 and x.shape[-1] == weight.shape[0], "rms_norm: weight is not [N]")
    return torch.empty_like(x)


@torch.library.custom_op("etc::rope_table", mutates_args=_PURE)
def rope_table(
    inv_freq: Tensor, pos: Tensor, scaling: float, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Rotary angles of each token: inv_freq [D/2] f32, pos [T] i64 -> cos, sin [T, D] of `dtype`.

    Column d and column d + D/2 hold cos(pos * inv_freq[d]) * scaling. All float32 until the cast.
    """
    angle = pos.to(torch.float32)[:, None] * inv_freq
    angle = torch.cat((angle, angle), -1)
    return (angle.cos() * scaling).to(dtype), (angle.sin() * scaling).to(dtype)


@rope_table.register_fake
def _(inv_freq: Tensor, pos: Tensor, scaling: float, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    _require(inv_freq.dtype == torch.float32, "rope_table: inv_freq is not float32")
    shape = (pos.shape[0], 2 * inv_freq.shape[0])
    return inv_freq.new_empty(shape, dtype=dtype), inv_freq.new_empty(shape, dtype=dtype)


@torch.library.custom_op("etc::rope", mutates_args=_PURE)
def rope(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding, rotate-half form: x [1, T, H, D], cos and sin [T, D] -> [1, T, H, D]."""
    low, high = x.chunk(2, -1)
    return x * cos[:, None] + torch.cat((-high, low), -1) * sin[:, None]


@rope.register_fake
def _(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    _require(x.dim() == 4 and x.shape[-1] == cos.shape[-1], "rope: x is not [1, T, H, D]")
    return torch.empty_like(x)


@torch.library.custom_op("etc::kv_append", mutates_args=_PURE)
def kv_append(
    cache: Tensor, k: Tensor, v: Tensor, seq: Tensor, pos: Tensor, block_table: Tensor
) -> Tensor:
    """Writes this step's keys and values into their pages and gives the new cache.

    cache [PAGES, KVH, 2, PT, D] (2: key, value); k and v [1, T, KVH, D] of cache's dtype; seq and
    pos [T] i64; block_table [S, MP] i64 -> cache's type. Token t goes to page
    block_table[seq[t], pos[t] / PT], slot pos[t] % PT. No two tokens may name one slot.
    """
    page_tokens = cache.shape[3]
    page = block_table[seq, pos // page_tokens]
    slot = pos % page_tokens
    new = cache.clone()
    new[page, :, 0, slot] = k[0]
    new[page, :, 1, slot] = v[0]
    return new


@kv_append.register_fake
def _(cache: Tensor, k: Tensor, v: Tensor, seq: Tensor, pos: Tensor, block_table: Tensor) -> Tensor:
    _require(
        cache.dim() == 5 and cache.shape[2] == 2 and tuple(k.shape[2:]) == _heads(cache),
        "kv_append: cache is not [PAGES, KVH, 2, PT, D] of k [1, T, KVH, D]",
    )
    _require(k.dtype == cache.dtype == v.dtype, "kv_append: the dtypes of cache, k and v differ")
    return torch.empty_like(cache)


@torch.library.custom_op("etc::paged_attention", mutates_args=_PURE)
def paged_attention(
    q: Tensor, cache: Tensor, seq: Tensor, pos: Tensor, block_table: Tensor, scale: float
) -> Tensor:
    """Causal grouped-query attention over a paged cache that already holds this step's tokens.

    q [1, T, H, D]; cache [PAGES, KVH, 2, PT, D]; seq and pos [T] i64; block_table [S, MP] i64
    -> [1, T, H, D]. Token t sees positions 0..pos[t] of sequence seq[t]; query head h reads
    key/value head h / (H / KVH). Scores and the softmax are float32, the result has q's dtype.
    """
    _, kv_heads, _, page_tokens, size = cache.shape
    out = torch.empty_like(q)
    for t in range(q.shape[1]):
        length = int(pos[t]) + 1
        pages = block_table[seq[t], : -(-length // page_tokens)]
        # [pages, KVH, 2, PT, D] -> [2, KVH, length, D]
        kv = cache[pages].permute(2, 1, 0, 3, 4).reshape(2, kv_heads, -1, size)[:, :, :length]
        query = q[0, t].view(kv_heads, -1, size).to(torch.float32)
        scores = query @ kv[0].to(torch.float32).transpose(1, 2) * scale
        out[0, t] = (scores.softmax(-1) @ kv[1].to(torch.float32)).view(-1, size).to(q.dtype)
    return out


@paged_attention.register_fake
def _(
    q: Tensor, cache: Tensor, seq: Tensor, pos: Tensor, block_table: Tensor, scale: float
) -> Tensor:
    kv_heads, size = _heads(cache)
    _require(
        q.dim() == 4 and q.shape[3] == size and q.shape[2] % kv_heads == 0,
        "paged_attention: q is not [1, T, H, D] with H a multiple of the cache's heads",
    )
    return torch.empty_like(q)


@torch.library.custom_op("etc::argmax", mutates_args=_PURE)
def argmax(logits: Tensor) -> Tensor:
    """Index of the largest logit of each row, the lowest on a tie: [R, V] -> [R] i64."""
    best = logits.amax(-1, keepdim=True)
    index = torch.arange(logits.shape[-1], device=logits.device)
    return torch.where(logits == best, index, logits.shape[-1]).amin(-1)


@argmax.register_fake
def _(logits: Tensor) -> Tensor:
    _require(logits.dim() == 2, "argmax: logits is not [R, V]")
    return logits.new_empty(logits.shape[0], dtype=torch.int64)


def _heads(cache: Tensor) -> tuple[int, int]:
    return cache.shape[1], cache.shape[4]


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
