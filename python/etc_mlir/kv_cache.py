# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The pages of the key/value cache: who holds which, and the block table that the kernel reads."""

from __future__ import annotations

import numpy as np

from etc_mlir.errors import CacheFullError


class PagedCache:
    """`pages` pages of `page_tokens` tokens for up to `max_seqs` sequences of `max_seq` tokens.

    table: i64 [max_seqs, pages of a sequence], what the kernel's `block_table` argument takes. A
    page that no sequence holds stands in no row up to that row's length.
    """

    def __init__(self, *, pages: int, page_tokens: int, max_seqs: int, max_seq: int) -> None:
        self.pages, self.page_tokens, self.max_seq = pages, page_tokens, max_seq
        self.table = np.zeros((max_seqs, -(-max_seq // page_tokens)), np.int64)
        # Last out first in: a released page is the next one used, while it is warm.
        self._free = list(range(pages - 1, -1, -1))
        self._rows = list(range(max_seqs - 1, -1, -1))
        self._held: dict[int, list[int]] = {}

    @property
    def free_pages(self) -> int:
        return len(self._free)

    @property
    def free_sequences(self) -> int:
        return len(self._rows)

    def pages_for(self, tokens: int) -> int:
        return -(-tokens // self.page_tokens)

    def fits(self, tokens: int) -> bool:
        """Whether a new sequence of `tokens` tokens would find a row and its pages now."""
        return bool(self._rows) and self.pages_for(tokens) <= len(self._free)

    def admit(self, tokens: int) -> int:
        """Reserves a row and the pages of `tokens` tokens; gives the row.

        Raises CacheFullError where it cannot, and then changes nothing.
        """
        if tokens > self.max_seq:
            raise CacheFullError(
                f"a sequence of {tokens} tokens; the kernel was compiled for max_seq "
                f"{self.max_seq}. Compile with a larger max_seq, or ask for fewer tokens."
            )
        if not self._rows:
            raise CacheFullError(
                f"all {len(self.table)} sequences are in use. Release one, or compile with a "
                "larger max_batch."
            )
        needed = self.pages_for(tokens)
        if needed > len(self._free):
            raise CacheFullError(
                f"{tokens} tokens need {needed} pages of {self.page_tokens} tokens; "
                f"{len(self._free)} of {self.pages} are free. Release a sequence, or compile "
                "with more num_pages."
            )
        row = self._rows.pop()
        held = [self._free.pop() for _ in range(needed)]
        self._held[row] = held
        self.table[row, :needed] = held
        return row

    def release(self, row: int) -> None:
        """Gives back the row and its pages. Raises KeyError for a row that is not in use."""
        self._free.extend(reversed(self._held.pop(row)))
        self._rows.append(row)
