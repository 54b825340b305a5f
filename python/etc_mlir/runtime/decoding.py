# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Decoding that stays on the device: no copy and no wait between one token and the next.

A step reads its tokens where the step before wrote them, and its positions from a table that holds
those of all steps. So the arguments of many steps are known beforehand and uploaded at once.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import torch

from etc_mlir.errors import OptionError
from etc_mlir.runtime.launch import Program
from etc_mlir.runtime.weights import DTYPES

Step = tuple[Mapping[str, torch.Tensor], Mapping[str, int]]

# Steps whose arguments are uploaded together: some MiB for the largest models.
_GROUP = 256
_HEAD_START_CYCLES = 20_000_000
# Rows of tables of i64 begin at multiples of 256 bytes.
_ROW = 32


@dataclasses.dataclass(frozen=True)
class Run:
    """Steps that are prepared. tokens: i64 [steps + 1, B], what each step reads and, in the row
    after, gives; logits: [steps, B, V], or [1, B, V] of the last step, where not all are kept."""

    steps: list[Step]
    tokens: torch.Tensor
    logits: torch.Tensor


class Decoding:
    """Sequences 0 .. B - 1 of a program whose weights are bound; allocates and binds its cache."""

    def __init__(self, program: Program, *, seed: int = 0) -> None:
        """The pages of a sequence are scattered over the cache by `seed`.

        Raises OptionError for a program that is no decoder's step or has too few pages.
        """
        self.program, self.device = program, program.device
        buffers = {b.name: b for b in program.package.buffers}
        self.largest = {s.name: s.max for s in program.package.symbols}
        states = [b for b in buffers.values() if b.role == "state"]
        if "block_table" not in buffers or not states:
            raise OptionError(f"program '{program.package.name}' is not the step of a decoder")
        self.sequences, pages = buffers["block_table"].extents(())
        self.cache_shape = states[0].extents(())
        self.limit = pages * self.cache_shape[3]
        if self.cache_shape[0] < self.sequences * pages:
            raise OptionError("the cache has too few pages for all sequences at their full length")
        order = torch.randperm(
            self.sequences * pages, generator=torch.Generator().manual_seed(seed)
        )
        self.table = order.view(self.sequences, pages).to(self.device)
        program.bind({b.name: self._zeros(b.extents(()), DTYPES[b.element]) for b in states})
        logits = buffers["logits"]
        self._vocabulary, self._dtype = int(logits.extents([1] * 8)[-1]), DTYPES[logits.element]

    def prefill(self, prompts: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Reads prompt b, i64 [n], as sequence b, the ends and beginnings of prompts mixed in one
        step; gives the token after each, i64 [B], and its logits [B, V]. Raises WatchdogError."""
        self._check(len(prompts), max(len(p) for p in prompts))
        lengths = [len(p) for p in prompts]
        ids = torch.cat([p.to(self.device) for p in prompts])
        seq = torch.cat([torch.full((n,), b) for b, n in enumerate(lengths)]).to(self.device)
        pos = torch.cat([torch.arange(n) for n in lengths]).to(self.device)
        ends = torch.tensor(lengths).cumsum(0) - 1
        tokens = self._zeros((len(prompts),), torch.int64)
        logits = self._zeros((len(prompts), self._vocabulary), self._dtype)
        unread = self._zeros((1,), torch.int64), self._zeros((1, self._vocabulary), self._dtype)
        steps: list[Step] = []
        for begin in range(0, len(ids), size := self.largest.get("T", 1)):
            part = slice(begin, min(begin + size, len(ids)))
            wanted = ((ends >= part.start) & (ends < part.stop)).nonzero()[:, 0].tolist()
            rows = (ends[wanted] - begin if wanted else torch.zeros(1, dtype=torch.int64)).to(
                self.device
            )
            own = slice(wanted[0], wanted[-1] + 1) if wanted else None
            out = (tokens[own], logits[own]) if own else unread
            steps.append(self._step(ids[part], seq[part], pos[part], rows, *out))
        self.run(steps)
        return tokens, logits

    def prepare(
        self,
        first: torch.Tensor,
        lengths: Sequence[int],
        steps: int,
        *,
        forced: torch.Tensor | None = None,
        keep_logits: bool = False,
    ) -> Run:
        """`steps` greedy steps, one token of every sequence each, after `lengths` positions.

        first: i64 [B]; forced: i64 [steps, B], what the steps read instead of their own tokens.
        """
        count = len(first)
        self._check(count, max(lengths) + steps)
        tokens = self._zeros((steps + 1, -(-count // _ROW) * _ROW), torch.int64)[:, :count]
        tokens[0] = first
        given = tokens if forced is None else forced.to(self.device).contiguous()
        table = torch.arange(steps)[:, None] + torch.tensor(list(lengths))
        pos = table.to(self.device)
        every = torch.arange(count, device=self.device)
        shape = (steps if keep_logits else 1, count, self._vocabulary)
        logits = self._zeros(shape, self._dtype)
        made = [
            self._step(
                given[i], every, pos[i], every, tokens[i + 1], logits[i if keep_logits else 0]
            )
            for i in range(steps)
        ]
        return Run(made, tokens, logits)

    def run(self, steps: Sequence[Step], *, per_launch: int = 1) -> None:
        """Runs steps one after the other, `per_launch` in one kernel. Raises OptionError for more
        than one where the program was not compiled for it; WatchdogError."""
        for begin in range(0, len(steps), _GROUP):
            group = steps[begin : begin + _GROUP]
            self.program.prepare_all(group, per_launch=per_launch)
            for _ in range(0, len(group), per_launch):
                self.program.launch()
        self.program.check()

    def time(
        self, steps: Sequence[Step], *, every: bool = True, per_launch: int = 1
    ) -> list[float]:
        """Milliseconds of every launch of `per_launch` steps, from the end of the one before to
        its own end, by CUDA events between the kernels; else of all together, with no event
        between. Raises OptionError, WatchdogError."""
        self.program.prepare_all(steps, per_launch=per_launch)
        events = [torch.cuda.Event(enable_timing=True)]
        # The device waits while the host enqueues the first kernels.
        torch.cuda._sleep(_HEAD_START_CYCLES)
        events[0].record()
        for number in range(launches := -(-len(steps) // per_launch)):
            self.program.launch()
            if every or number + 1 == launches:
                events.append(torch.cuda.Event(enable_timing=True))
                events[-1].record()
        self.program.check()
        return [a.elapsed_time(b) for a, b in itertools.pairwise(events)]

    def _step(
        self,
        ids: torch.Tensor,
        seq: torch.Tensor,
        pos: torch.Tensor,
        rows: torch.Tensor,
        tokens: torch.Tensor,
        logits: torch.Tensor,
    ) -> Step:
        tensors = {
            "ids": ids,
            "seq": seq,
            "pos": pos,
            "rows": rows,
            "block_table": self.table,
            "tokens": tokens,
            "logits": logits,
        }
        extents = {"T": len(ids), "R": len(rows)}
        return tensors, {name: extents[name] for name in self.largest}

    def _check(self, sequences: int, length: int) -> None:
        most = min(self.sequences, self.largest.get("T", 1), self.largest.get("R", 1))
        if sequences > most or length > self.limit:
            raise OptionError(
                f"{sequences} sequences of {length} positions; the program was compiled for {most} "
                f"of {self.limit}: compile with a larger max_batch or max_seq"
            )

    def _zeros(self, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        return torch.zeros(shape, dtype=dtype, device=self.device)
