# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights as the kernel reads them: stacked of several, in the order of the lanes of a warp."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from etc_mlir.errors import OptionError, TargetError


def stack_rows(weights: Sequence[torch.Tensor], rows: int) -> torch.Tensor:
    """Weights [N_i, K] of one dtype as one of the sum of their rows, [sum N_i, K]; also vectors.

    rows 0: all of the first, then all of the second, and so on. rows r > 0: r rows of each in
    turns. Raises OptionError where they do not fit each other.
    """
    first = weights[0]
    alike = all(w.dtype == first.dtype and w.shape[1:] == first.shape[1:] for w in weights)
    if not alike or (rows and any(len(w) != len(first) or len(w) % rows for w in weights)):
        shapes = ", ".join(f"{list(w.shape)} {w.dtype}" for w in weights)
        raise OptionError(f"weights of {shapes} cannot be stacked by {rows} rows")
    if not rows:
        return torch.cat(tuple(weights))
    turns = torch.stack([w.unflatten(0, (-1, rows)) for w in weights], 1)
    return turns.flatten(0, 2)


def pack_fragments(weight: torch.Tensor) -> torch.Tensor:
    """A weight [N, K] of 16-bit elements as A operands of mma.m16n8k16, flat.

    Tiles of 16 rows follow each other, in them tiles of 16 columns, in them the lanes; lane 4 g + t
    holds rows g and g + 8 and columns 4 t to 4 t + 3, sixteen bytes in all. In the instruction's
    own order these would be 2 t, 2 t + 1, 2 t + 8 and 2 t + 9; the sum over columns does not
    care, as long as B has the same order, and so a lane reads its part of B as eight bytes.
    Raises TargetError where N or K is no multiple of 16.
    """
    rows, columns = weight.shape
    if rows % 16 or columns % 16 or weight.element_size() != 2:
        raise TargetError(
            f"a weight of {rows} x {columns} {weight.dtype} cannot be packed: fragments are 16 x "
            "16 elements of 16 bits"
        )
    #                     tile        half g     tile          t  half pair
    tiles = weight.reshape(rows // 16, 2, 8, columns // 16, 4, 2, 2)
    return tiles.permute(0, 3, 2, 4, 5, 1, 6).contiguous().view(-1)


def unpack_fragments(packed: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """The weight [rows, columns] that `pack_fragments` packed."""
    tiles = packed.reshape(rows // 16, columns // 16, 8, 4, 2, 2, 2)
    return tiles.permute(0, 5, 2, 1, 3, 4, 6).reshape(rows, columns)
