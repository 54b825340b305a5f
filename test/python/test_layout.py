# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Stacked weights; weights in fragment order, against the PTX manual's own formula."""

from __future__ import annotations

import pytest
import torch

from etc_mlir.errors import OptionError, TargetError
from etc_mlir.runtime.layout import pack_fragments, stack_rows, unpack_fragments

SHAPES = [(16, 16), (32, 16), (16, 48), (48, 64), (160, 384)]


def numbers(rows: int, columns: int, dtype: torch.dtype) -> torch.Tensor:
    """A weight whose elements are all different, bit for bit."""
    bits = torch.arange(rows * columns, dtype=torch.int32).to(torch.int16)
    return bits.view(rows, columns).view(dtype)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_round_trip(rows, columns, dtype):
    weight = numbers(rows, columns, dtype)
    packed = pack_fragments(weight)
    assert packed.is_contiguous() and packed.dtype == dtype and packed.numel() == weight.numel()
    back = unpack_fragments(packed, rows, columns)
    assert torch.equal(back.view(torch.int16), weight.view(torch.int16))


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_a_lane_holds_its_operand_of_mma_m16n8k16(rows, columns):
    """Element a_i of lane l, "Matrix Fragments for mma.m16n8k16 with floating point type":
    row = group, or group + 8 for i in 2, 3, 6, 7. Its column there is 2 (l mod 4) + (i mod 2), + 8
    from i = 4; that is where column 4 (l mod 4) + (i mod 2), + 2 from i = 4, of the weight stands.
    """
    weight = numbers(rows, columns, torch.bfloat16)
    packed = pack_fragments(weight).view(torch.int16).tolist()
    elements = weight.view(torch.int16).tolist()
    for place, value in enumerate(packed):
        tile, in_tile = divmod(place, 256)
        lane, i = divmod(in_tile, 8)
        tile_row, tile_column = divmod(tile, columns // 16)
        group, in_group = divmod(lane, 4)
        row = group if (0 <= i < 2 or 4 <= i < 6) else group + 8
        column = in_group * 4 + (i & 1) + (2 if i >= 4 else 0)
        assert value == elements[tile_row * 16 + row][tile_column * 16 + column]


@pytest.mark.parametrize(
    "weight", [torch.zeros(15, 16), torch.zeros(16, 24).bfloat16(), torch.zeros(16, 16)]
)
def test_what_does_not_fit_is_refused(weight):
    with pytest.raises(TargetError, match="cannot be packed"):
        pack_fragments(weight)


def test_stacks():
    a, b = numbers(16, 4, torch.bfloat16), -numbers(16, 4, torch.bfloat16)
    assert torch.equal(stack_rows([a, b], 0), torch.cat((a, b)))
    turns = stack_rows([a, b], 8)
    assert turns.shape == (32, 4) and turns.is_contiguous()
    for source, start in ((a, 0), (b, 8)):
        assert torch.equal(turns[start : start + 8], source[:8])
        assert torch.equal(turns[start + 16 : start + 24], source[8:])
    assert torch.equal(stack_rows([a[:4], b], 0), torch.cat((a[:4], b)))
    assert torch.equal(stack_rows([a[:, 0], b[:, 0]], 0), torch.cat((a[:, 0], b[:, 0])))


@pytest.mark.parametrize(
    ("second", "rows"), [((16, 5), 0), ((8, 4), 8), ((16, 4), 3)], ids=["columns", "rows", "turns"]
)
def test_stacks_that_do_not_fit_are_refused(second, rows):
    with pytest.raises(OptionError, match=rf"cannot be stacked by {rows} rows"):
        stack_rows([torch.zeros(16, 4), torch.zeros(second)], rows)
