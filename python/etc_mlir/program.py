# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tables of a compiled program, as `export-program` writes them, and what can be read off."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from etc_mlir.errors import EtcError
from etc_mlir.package import Buffer

_BYTES = {"f32": 4, "bf16": 2, "f16": 2, "i64": 8, "i32": 4, "i16": 2, "i8": 1, "i1": 1, "f64": 8}


class ProgramError(EtcError, ValueError):
    """Tables that are damaged, or of another version of etc_mlir."""


@dataclasses.dataclass(frozen=True)
class Slot(Buffer):
    """A buffer of the program, with its size."""

    def bytes(self, symbols: Sequence[int]) -> int:
        return math.prod(self.extents(symbols)) * _BYTES[self.element]


@dataclasses.dataclass(frozen=True)
class Schedule:
    """bucket: bound of each symbol; runs of worker w: rows offsets[w] to offsets[w + 1]."""

    bucket: tuple[int, ...]
    policy: str
    offsets: tuple[int, ...]
    runs: np.ndarray  # i32 [n, 4]: launch, first, stride, count

    @property
    def workers(self) -> int:
        return len(self.offsets) - 1

    def of(self, worker: int) -> np.ndarray:
        return self.runs[self.offsets[worker] : self.offsets[worker + 1]]

    def tasks(self, launch: int | None = None) -> int:
        runs = self.runs if launch is None else self.runs[self.runs[:, 0] == launch]
        return int(runs[:, 3].sum())


@dataclasses.dataclass(frozen=True)
class Program:
    """A `task.program`. symbols: (name, least, greatest); events: i32 [n, 4]."""

    name: str
    kernel: str
    symbols: tuple[tuple[str, int, int], ...]
    buffers: tuple[Slot, ...]
    launch_names: tuple[str, ...]
    launches: np.ndarray  # i32 [n, launch width]: kind, slots, event rows, -1
    event_names: tuple[str, ...]
    events: np.ndarray  # i32 [n, 4]: offset, bank stride, per-epoch count, entries
    counter_words: int
    scratch_bytes: int
    many_steps: bool  # whether one launch may run several
    schedules: tuple[Schedule, ...]

    @classmethod
    def parse(cls, text: str | bytes) -> Program:
        """From the JSON of `export-program`. Raises ProgramError."""
        try:
            given: Mapping[str, Any] = json.loads(text)
        except ValueError as error:
            raise ProgramError(
                f"the tables of the program cannot be read ({error!r}). Compile it again."
            ) from error
        return cls.of(given)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Program:
        """From the tables of `export-program`. Raises ProgramError."""
        try:
            return cls(
                name=given["name"],
                kernel=given["kernel"],
                symbols=tuple((s["name"], s["min"], s["max"]) for s in given["symbols"]),
                buffers=tuple(Slot(**{**b, "shape": tuple(b["shape"])}) for b in given["buffers"]),
                launch_names=tuple(given["launch_names"]),
                launches=_rows(given["launches"], given["launch_width"]),
                event_names=tuple(given["event_names"]),
                events=_rows(given["events"], 4),
                counter_words=given["counter_words"],
                scratch_bytes=given["scratch_bytes"],
                many_steps=given["many_steps"],
                schedules=tuple(
                    Schedule(
                        tuple(s["bucket"]), s["policy"], tuple(s["offsets"]), _rows(s["runs"], 4)
                    )
                    for s in given["schedules"]
                ),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ProgramError(
                f"the tables of the program cannot be read ({error!r}). Compile it again."
            ) from error

    @property
    def largest(self) -> tuple[int, ...]:
        """The greatest value of each symbol."""
        return tuple(greatest for _, _, greatest in self.symbols)

    @cached_property
    def slots(self) -> dict[str, int]:
        return {buffer.name: slot for slot, buffer in enumerate(self.buffers)}

    def schedule_for(self, symbols: Sequence[int]) -> Schedule:
        """The smallest bucket that holds a step. Raises ProgramError if none does."""
        for schedule in self.schedules:
            if all(s <= bound for s, bound in zip(symbols, schedule.bucket, strict=True)):
                return schedule
        raise ProgramError(f"no schedule is large enough for {tuple(symbols)}")


def _rows(words: Sequence[int], width: int) -> np.ndarray:
    return np.array(words, np.int32).reshape(-1, width)
