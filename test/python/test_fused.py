# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The operators that the compiler makes of several against those that they are made of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from etc_mlir.frontend import ops
from etc_mlir.interpreter import fused
from etc_mlir.interpreter.operations import _TILES
from etc_mlir.interpreter.tensor_level import parse_stack
from etc_mlir.interpreter.torch_level import InterpreterError
from etc_mlir.runtime.layout import stack_rows

T, H, G, D, P, M, B, PARTS, SCALE, EPS = 5, 4, 2, 16, 8, 4, 3, 3, 0.25, 1e-6


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_linear(dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    x, residual = torch.randn(T, 32).to(dtype), torch.randn(T, 16).to(dtype)
    weight, bias, norm = (torch.randn(s).to(dtype) for s in ((16, 32), (16,), (32,)))
    got = fused.linear(x, weight, bias, norm, residual, eps=EPS)
    normed = ops.rms_norm(x.float(), norm.float(), EPS)
    expected = residual.float() + bias.float() + normed @ weight.float().T
    assert got.dtype == dtype
    tolerance = 1e-5 if dtype == torch.float32 else 0.03
    assert (got.float() - expected).abs().max() < tolerance * expected.abs().max()


def test_linear_of_wide_rows() -> None:
    """Rows of f32 beside weights of bf16: only what is multiplied is rounded."""
    torch.manual_seed(3)
    x, residual = torch.randn(T, 32), torch.randn(T, 16)
    weight, norm = torch.randn(16, 32).bfloat16(), torch.randn(32).bfloat16()
    got = fused.linear(x, weight, None, norm, residual, eps=EPS, dtype=torch.float32)
    factor = torch.rsqrt(x.pow(2).mean(1, keepdim=True) + EPS)
    expected = residual + (x * norm.float()).bfloat16().float() @ weight.float().T * factor
    torch.testing.assert_close(got, expected)
    assert fused.linear(x, weight, None, norm, eps=EPS).dtype == torch.bfloat16


def test_gated_linear_of_a_stack() -> None:
    torch.manual_seed(2)
    x, gate, up = torch.randn(T, 32), torch.randn(24, 32), torch.randn(24, 32)
    got = fused.linear(x, stack_rows([gate, up], 8), gated=True)
    expected = torch.nn.functional.silu(x @ gate.T) * (x @ up.T)
    torch.testing.assert_close(got, expected)


def test_the_best_of_tiles() -> None:
    """The lowest index of equal ones, in a tile and among tiles."""
    torch.manual_seed(4)
    logits = -torch.rand(T, 64).to(torch.bfloat16)
    logits[0, 20] = logits[0, 25] = logits[0, 50] = 1.0
    found = fused.argmax_of_tiles(fused.best_of_tiles(logits), 16)
    assert found.tolist() == ops.argmax(logits).tolist()
    assert found[0] == 20 and found.dtype == torch.int64


class Case:
    """Five tokens of sequences 2 and 0, of which the former has nine positions already."""

    def __init__(self, normed: bool) -> None:
        torch.manual_seed(3)
        self.seq, self.pos = torch.tensor([2, 0, 2, 0, 2]), torch.tensor([9, 0, 10, 1, 11])
        self.table = torch.randperm(B * M).view(B, M)
        self.qkv = torch.randn(T, (H + 2 * G) * D)
        self.cos, self.sin = ops.rope_table(torch.rand(D // 2), self.pos, 1.0, torch.float32)
        self.cache = torch.randn(B * M, G, 2, P, D)
        self.partial = torch.full((T, H, PARTS, D + 2), float("nan"))
        self.norms = (torch.rand(D), torch.rand(D), EPS) if normed else None

    def expected(self) -> tuple[torch.Tensor, torch.Tensor]:
        q, k, v = self.qkv.view(1, T, -1, D).split([H, G, G], 2)
        if self.norms:
            q, k = (ops.rms_norm(x, w, EPS) for x, w in zip((q, k), self.norms[:2], strict=True))
        q, k = (ops.rope(x, self.cos, self.sin) for x in (q, k))
        cache = ops.kv_append(self.cache, k, v, self.seq, self.pos, self.table)
        return cache, ops.paged_attention(q, cache, self.seq, self.pos, self.table, SCALE)[0]

    def run(
        self, origin: tuple[int, int, int] | None, older: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The operator as a module has it, whole or as one task on views, which it overwrites.

        older: what was streamed of the cache."""
        b, g, s = origin or (0, 0, 0)
        table, cache, partial = self.table, self.cache, self.partial
        if origin is not None:
            heads = slice(g * H // G, (g + 1) * H // G)
            table, cache = table[b : b + 1], cache[:, g : g + 1]
            partial = partial[:, heads, s : s + 1]
        attributes: dict[str, Any] = {"scale": SCALE, "parts": PARTS}
        operands: list[Any] = [self.qkv, self.cos, self.sin, self.seq, self.pos, table, b, g, s]
        if self.norms:
            operands += self.norms[:2]
            attributes["eps"] = EPS
        normed, streamed = int(self.norms is not None), int(older is not None)
        attributes["operandSegmentSizes"] = [1] * 9 + [normed] * 2 + [streamed, 1, 1]
        operands += [] if older is None else [older]
        op = SimpleNamespace(attributes=attributes)
        found = _TILES["task.split_attention"](op, *operands, cache, partial)
        if origin is not None:
            cache.copy_(found[0])
            partial.copy_(found[1])
        return found


@pytest.mark.parametrize("normed", [False, True])
def test_split_attention_whole(normed: bool) -> None:
    case = Case(normed)
    cache, attention = case.expected()
    got, partial = case.run(None)
    torch.testing.assert_close(got, cache)
    torch.testing.assert_close(fused.merge_splits(partial, torch.float32), attention)


def test_split_attention_in_tasks() -> None:
    case = Case(True)
    cache, attention = case.expected()
    for b in range(B):
        for g in range(G):
            for s in range(PARTS):
                case.run((b, g, s))
    torch.testing.assert_close(case.cache, cache)
    torch.testing.assert_close(fused.merge_splits(case.partial, torch.float32), attention)


def test_split_attention_takes_what_was_streamed() -> None:
    """A sequence with one token attends to the rows as they were, one with two to the cache."""
    case = Case(False)
    keep = torch.tensor([0, 1, 3])  # token 0 of sequence 2, tokens 0 and 1 of sequence 0
    case.seq, case.pos, case.qkv = case.seq[keep], case.pos[keep], case.qkv[keep]
    case.cos, case.sin, case.partial = case.cos[keep], case.sin[keep], case.partial[keep]
    expected = fused.merge_splits(case.run(None)[1], torch.float32)
    older = case.cache.clone()
    case.cache[case.table[2]] = float("nan")  # as if something wrote there since
    found = fused.merge_splits(case.run(None, older)[1], torch.float32)
    torch.testing.assert_close(found, expected)
    older[case.table[0]] = float("nan")
    found = fused.merge_splits(case.run(None, older)[1], torch.float32)
    torch.testing.assert_close(found, expected)


def test_an_empty_part_has_no_weight() -> None:
    """Two positions are in one part of eight."""
    _, partial = Case(False).run(None)
    token = partial[1]  # sequence 0, position 0
    assert (token[:, 1:, :D] == 0).all() and (token[:, 1:, D + 1] == 0).all()
    assert (token[:, 1:, D] == fused.EMPTY).all() and (token[:, 0, D + 1] == 1).all()


def test_the_text_of_a_stack() -> None:
    assert parse_stack('#task.stack<["a.weight", "b"] by 8>') == (["a.weight", "b"], 8)
    with pytest.raises(InterpreterError, match="is no stack"):
        parse_stack("8")
