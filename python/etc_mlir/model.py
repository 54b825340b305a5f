# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled model: `generate` for text and tokens, `step` for one launch of the kernel."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, overload

import numpy as np

from etc_mlir.batching import Batcher, StepInputs
from etc_mlir.errors import OptionError
from etc_mlir.kv_cache import PagedCache
from etc_mlir.options import CompileOptions
from etc_mlir.program import Program
from etc_mlir.trace import Trace

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Prompt = str | Sequence[int] | Sequence[Sequence[int]]


class Engine(Protocol):
    """What runs the kernel: threads of this machine, or a GPU."""

    def step(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """One step on ids, seq, pos, block_table and rows, all i64; gives tokens, i64 [R].

        Raises WatchdogError.
        """
        ...

    def logits(self) -> np.ndarray:
        """The logits of the last step, float32 [R, V]."""
        ...

    def trace(self) -> Trace:
        """The last step's timeline. Raises OptionError where none was recorded."""
        ...


@dataclasses.dataclass(frozen=True)
class KernelStats:
    """Numbers of the kernel itself. tasks: of one decode step at the smallest bucket."""

    workers: int
    launches: int
    tasks: int
    events: int

    @classmethod
    def of(cls, program: Program) -> KernelStats:
        smallest = program.schedules[0]
        return cls(
            workers=smallest.workers,
            launches=len(program.launches),
            tasks=smallest.tasks(),
            events=int(program.events[:, 3].sum()),
        )


@dataclasses.dataclass(frozen=True)
class GenerateStats:
    """Numbers of the last `generate`."""

    prompt_tokens: int
    new_tokens: int
    steps: int
    seconds: float

    @property
    def tokens_per_s(self) -> float:
        return self.new_tokens / self.seconds if self.seconds else 0.0


@dataclasses.dataclass(frozen=True)
class Piece:
    """What streaming gives: a new token of the prompt with this number, and its text if any."""

    number: int
    token: int
    text: str


class CompiledModel:
    """A model compiled by `etc_mlir.compile`, with its weights and its key/value cache."""

    def __init__(
        self,
        engine: Engine,
        options: CompileOptions,
        kernel: KernelStats,
        *,
        vocab_size: int,
        tokenizer: Tokenizer | None = None,
        eos: Collection[int] = (),
    ) -> None:
        self.engine, self.options, self.kernel = engine, options, kernel
        self.tokenizer, self.eos, self.vocab_size = (
            tokenizer,
            frozenset(eos),
            vocab_size,
        )
        self.last = GenerateStats(0, 0, 0, 0.0)
        self._cache = PagedCache(
            pages=options.pages,
            page_tokens=options.page_tokens,
            max_seqs=options.max_batch,
            max_seq=options.max_seq,
        )

    @overload
    def generate(
        self,
        prompt: Prompt,
        max_new_tokens: int = 64,
        *,
        stream: Literal[True],
        eos: int | Collection[int] | None = None,
    ) -> Iterator[Piece]: ...
    @overload
    def generate(
        self,
        prompt: str,
        max_new_tokens: int = 64,
        *,
        stream: Literal[False] = False,
        eos: int | Collection[int] | None = None,
    ) -> str: ...
    @overload
    def generate(
        self,
        prompt: Sequence[int],
        max_new_tokens: int = 64,
        *,
        stream: Literal[False] = False,
        eos: int | Collection[int] | None = None,
    ) -> list[int]: ...
    @overload
    def generate(
        self,
        prompt: Sequence[Sequence[int]],
        max_new_tokens: int = 64,
        *,
        stream: Literal[False] = False,
        eos: int | Collection[int] | None = None,
    ) -> list[list[int]]: ...
    def generate(
        self,
        prompt: Prompt,
        max_new_tokens: int = 64,
        *,
        stream: bool = False,
        eos: int | Collection[int] | None = None,
    ) -> str | list[int] | list[list[int]] | Iterator[Piece]:
        """Greedy continuation of one prompt (text or tokens) or of several (lists of tokens).

        Gives what is new, in the form of the prompt: text for text, tokens for tokens. stream:
        gives an iterator of Piece instead, as tokens are made. eos: tokens that end a sequence (and
        are part of it); None: the model's own; (): none. More prompts than max_batch wait in turn.
        Raises OptionError for a prompt that cannot be used, CacheFullError, WatchdogError.
        """
        prompts = self._prompts(prompt, max_new_tokens)
        ends = self.eos if eos is None else {eos} if isinstance(eos, int) else set(eos)
        pieces = self._generate(prompts, max_new_tokens, ends)
        if stream:
            return self._with_text(pieces, len(prompts))
        found: list[list[int]] = [[] for _ in prompts]
        for number, token in pieces:
            found[number].append(token)
        if isinstance(prompt, str):
            assert self.tokenizer is not None
            return self.tokenizer.decode(found[0])
        return found if _is_batch(prompt) else found[0]

    def step(
        self,
        ids: Sequence[int],
        seq: Sequence[int],
        pos: Sequence[int],
        rows: Sequence[int],
    ) -> np.ndarray:
        """One launch of the kernel: T tokens `ids` at `pos` of the block table's rows `seq`.

        rows: the tokens (0 .. T-1) whose greedy successor is wanted. Gives them, i64 [R]. The rows
        of the block table are the caller's: see `cache`.
        """
        return self._step(StepInputs(*(np.array(x, np.int64) for x in (ids, seq, pos, rows))))

    def trace(self) -> Trace:
        """Every task of the last step. Raises OptionError unless compiled with trace=True."""
        return self.engine.trace()

    @property
    def cache(self) -> PagedCache:
        """Who holds which page; `generate` admits and releases its sequences here."""
        return self._cache

    def _step(self, inputs: StepInputs) -> np.ndarray:
        self._check(inputs)
        return self.engine.step({**vars(inputs), "block_table": self._cache.table})

    def _check(self, inputs: StepInputs) -> None:
        """The kernel trusts its inputs: an index out of range would read beyond a buffer."""
        count, options = len(inputs.ids), self.options
        limits = {
            "ids": self.vocab_size,
            "seq": options.max_batch,
            "pos": options.max_seq,
            "rows": count,
        }
        for name, limit in limits.items():
            values = getattr(inputs, name)
            if values.ndim != 1 or (name != "rows" and len(values) != count):
                raise OptionError(f"{name} has shape {values.shape}, ids has {count} tokens")
            if len(values) and not (values.min() >= 0 and values.max() < limit):
                raise OptionError(
                    f"{name} holds values from {values.min()} to {values.max()}; they must be in "
                    f"0 .. {limit - 1}"
                )
        if not 1 <= count <= options.step_tokens:
            raise OptionError(f"{count} tokens in a step; it takes 1 to {options.step_tokens}")
        if not 1 <= len(inputs.rows) <= options.max_batch:
            raise OptionError(f"{len(inputs.rows)} rows; a step gives 1 to {options.max_batch}")

    def _generate(
        self, prompts: list[list[int]], max_new_tokens: int, eos: Collection[int]
    ) -> Iterator[tuple[int, int]]:
        batcher = Batcher(
            prompts,
            cache=self._cache,
            max_new_tokens=max_new_tokens,
            max_tokens=self.options.step_tokens,
            max_rows=self.options.max_batch,
            eos=eos,
        )
        start, made, steps = time.perf_counter(), 0, 0
        try:
            while (inputs := batcher.plan()) is not None:
                tokens = self._step(inputs)
                steps += 1
                for number, token in batcher.accept(tokens):
                    made += 1
                    yield number, token
        finally:
            batcher.close()
            seconds = time.perf_counter() - start
            self.last = GenerateStats(sum(map(len, prompts)), made, steps, seconds)

    def _with_text(self, pieces: Iterator[tuple[int, int]], count: int) -> Iterator[Piece]:
        """Adds the text that each token completes: a character may take several tokens."""
        tokens: list[list[int]] = [[] for _ in range(count)]
        shown = [0] * count
        for number, token in pieces:
            tokens[number].append(token)
            text = self.tokenizer.decode(tokens[number]) if self.tokenizer else ""
            # An incomplete character decodes as U+FFFD: it is held back.
            new = "" if text.endswith("\N{REPLACEMENT CHARACTER}") else text[shown[number] :]
            shown[number] += len(new)
            yield Piece(number, token, new)

    def _prompts(self, prompt: Prompt, max_new_tokens: int) -> list[list[int]]:
        if max_new_tokens < 1:
            raise OptionError(f"max_new_tokens must be at least 1, not {max_new_tokens}")
        if isinstance(prompt, str):
            if self.tokenizer is None:
                raise OptionError("the model has no tokenizer.json: give the prompt as token ids")
            prompts = [self.tokenizer.encode(prompt).ids]
        elif _is_batch(prompt):
            prompts = [[int(t) for t in p] for p in prompt]  # pyright: ignore[reportGeneralTypeIssues]
        else:
            prompts = [[int(t) for t in prompt]]  # pyright: ignore[reportArgumentType]
        for number, tokens in enumerate(prompts):
            name = f"prompt {number}" if len(prompts) > 1 else "the prompt"
            if not tokens:
                raise OptionError(f"{name} is empty; it needs at least one token")
            if bad := [t for t in tokens if not 0 <= t < self.vocab_size]:
                raise OptionError(
                    f"{name} holds token {bad[0]}, outside 0 .. {self.vocab_size - 1}"
                )
            if len(tokens) + max_new_tokens - 1 > self.options.max_seq:
                raise OptionError(
                    f"{name} has {len(tokens)} tokens and {max_new_tokens} are wanted; the kernel "
                    f"was compiled for max_seq {self.options.max_seq}. Compile with a larger "
                    "max_seq, or ask for fewer tokens."
                )
        return prompts


def _is_batch(prompt: Prompt) -> bool:
    return (
        not isinstance(prompt, str)
        and len(prompt) > 0
        and not isinstance(prompt[0], int | np.integer)
    )
