# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From prompts to steps: which tokens of which sequences the kernel takes next.

Prefill and decoding are the same step: a running sequence contributes its last token, one that is
still being read contributes as much of its prompt as the step has room for. A waiting prompt is
admitted when a row and the pages for all its tokens are free, so a running sequence never lacks a
page.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from etc_mlir.kv_cache import PagedCache


@dataclasses.dataclass(frozen=True)
class StepInputs:
    """ids, seq, pos: i64 [T]; rows: i64 [R], the tokens whose successor is wanted."""

    ids: np.ndarray
    seq: np.ndarray
    pos: np.ndarray
    rows: np.ndarray


@dataclasses.dataclass
class Running:
    """One prompt on its way. `tokens` grows by what is generated; `done` of them are cached."""

    number: int
    tokens: list[int]
    prompt_length: int
    max_new_tokens: int
    row: int = -1
    done: int = 0

    @property
    def generated(self) -> int:
        return len(self.tokens) - self.prompt_length

    @property
    def length(self) -> int:
        """Positions that it will ever hold: the last token generated is not cached."""
        return self.prompt_length + self.max_new_tokens - 1


class Batcher:
    """Runs prompts over a paged cache; `plan` and `accept` alternate until `plan` gives None."""

    def __init__(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        cache: PagedCache,
        max_new_tokens: int,
        max_tokens: int,
        max_rows: int,
        eos: Collection[int] = (),
    ) -> None:
        self._cache, self._eos = cache, frozenset(eos)
        self._max_tokens, self._max_rows = max_tokens, max_rows
        self._waiting = deque(
            Running(i, list(prompt), len(prompt), max_new_tokens)
            for i, prompt in enumerate(prompts)
        )
        self._running: list[Running] = []
        self._wanted: list[Running] = []

    def plan(self) -> StepInputs | None:
        """The next step, or None when all are finished. Raises CacheFullError."""
        while self._waiting:
            first = self._waiting[0]
            # With nothing running nothing will be released: let admit() say what is missing.
            if self._running and not self._cache.fits(first.length):
                break
            first.row = self._cache.admit(first.length)
            self._running.append(self._waiting.popleft())
        if not self._running:
            return None
        ids: list[int] = []
        seq: list[int] = []
        pos: list[int] = []
        rows: list[int] = []
        self._wanted = []
        # Who lacks one token goes first: a long prompt must not hold up the others.
        for sequence in sorted(self._running, key=lambda s: len(s.tokens) - s.done):
            take = min(len(sequence.tokens) - sequence.done, self._max_tokens - len(ids))
            last = sequence.done + take == len(sequence.tokens)
            if take == 0 or (last and len(rows) == self._max_rows):
                continue
            ids += sequence.tokens[sequence.done : sequence.done + take]
            seq += [sequence.row] * take
            pos += range(sequence.done, sequence.done + take)
            sequence.done += take
            if last:
                rows.append(len(ids) - 1)
                self._wanted.append(sequence)
        # The kernel computes at least one row; a step of prefill only ignores it.
        return StepInputs(*(np.array(x, np.int64) for x in (ids, seq, pos, rows or [0])))

    def accept(self, tokens: np.ndarray) -> Iterator[tuple[int, int]]:
        """Takes the step's tokens (i64 [R]); gives (number of the prompt, its new token)."""
        for sequence, token in zip(self._wanted, tokens.tolist(), strict=False):
            sequence.tokens.append(token)
            if sequence.generated == sequence.max_new_tokens or token in self._eos:
                self._running.remove(sequence)
                self._cache.release(sequence.row)
            yield sequence.number, token

    def close(self) -> None:
        """Releases what is still running, for a caller that stops early."""
        for sequence in self._running:
            self._cache.release(sequence.row)
        self._running.clear()
        self._waiting.clear()
