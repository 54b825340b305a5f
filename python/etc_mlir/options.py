# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a kernel is compiled for: all that changes the kernel, so all of it is in the cache key."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from etc_mlir.errors import OptionError

TARGETS = Path(__file__).parent / "targets"
POLICIES = ("auto", "list", "round-robin")
_DTYPES = (None, "float32", "bfloat16", "float16")


@dataclasses.dataclass(frozen=True)
class Target:
    """A target file: what the compiler and the runtime know of a machine."""

    path: Path
    name: str
    codegen: str  # "cpu" | "nvvm"
    workers: int  # the most that can be resident
    chip: str = ""  # of a GPU: what LLVM and ptxas call it
    features: str = ""
    shared_bytes: int = 0  # of one block

    @classmethod
    def find(cls, name_or_path: str) -> Target:
        """A target by its name ("cpu", "h200") or the path of its file. Raises OptionError."""
        path = Path(name_or_path)
        if path.suffix != ".json":
            path = TARGETS / f"{name_or_path}.json"
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            found = cls(
                path,
                values["name"],
                values["codegen"],
                int(values["workers"]),
                values.get("chip", ""),
                values.get("features", ""),
                int(values.get("shared_memory_bytes", 0)),
            )
        except FileNotFoundError:
            known = ", ".join(sorted(p.stem for p in TARGETS.glob("*.json")))
            raise OptionError(
                f"target '{name_or_path}' is not known. Give one of {known}, or the path of a "
                "target file (.json)."
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OptionError(f"{path} is not a target file: {error!r}") from error
        if found.codegen not in ("cpu", "nvvm"):
            raise OptionError(f"{path}: codegen '{found.codegen}' is neither 'cpu' nor 'nvvm'")
        if found.codegen == "nvvm" and not (found.chip and found.shared_bytes):
            raise OptionError(
                f"{path}: a target of codegen 'nvvm' says chip and shared_memory_bytes"
            )
        return found


@dataclasses.dataclass(frozen=True)
class CompileOptions:
    """Options of `etc_mlir.compile`.

    target: "cpu", "h200" or the path of a target file. workers: threads or SMs that run tasks; by
    default the processors of this machine (cpu) or all of the target. max_batch: sequences at a
    time. max_seq: tokens of one sequence, prompt included. max_tokens: tokens of one step, which
    bounds a prefill chunk; by default 16 or max_batch. page_tokens: tokens of a page of the
    key/value cache; num_pages: its pages, by default enough for max_batch sequences of max_seq.
    policy: how tasks are given to workers; auto: list for threads, round-robin for a GPU, whose
    costs the list scheduler does not know well enough (docs/Scheduling.md). tiles: operator ->
    tile, as `decompose-to-tasks` spells it, for example {"linear": "16"}. passes: options of the
    phases' pipelines, each PIPELINE:OPTION=VALUE, for example "pipeline-handoffs:data=false"; the
    docs/Scheduling.md says what they are for. dtype: by default the checkpoint's. trace: the kernel
    can record every task, which costs a GPU's up to 5 %. check: the kernel detects reads that run
    ahead of their writer (CPU only).
    """

    target: str = "cpu"
    workers: int | None = None
    max_batch: int = 1
    max_seq: int = 1024
    max_tokens: int | None = None
    page_tokens: int = 16
    num_pages: int | None = None
    policy: str = "auto"
    tiles: tuple[tuple[str, str], ...] = ()
    passes: tuple[str, ...] = ()
    dtype: str | None = None
    trace: bool = False
    check: bool = False

    def __post_init__(self) -> None:
        for name in ("max_batch", "max_seq", "page_tokens"):
            _check_positive(name, getattr(self, name))
        for name in ("workers", "max_tokens", "num_pages"):
            if getattr(self, name) is not None:
                _check_positive(name, getattr(self, name))
        if self.policy not in POLICIES:
            raise OptionError(f"policy '{self.policy}' is not one of {', '.join(POLICIES)}")
        if self.dtype not in _DTYPES:
            known = ", ".join(d for d in _DTYPES if d)
            raise OptionError(f"dtype '{self.dtype}' is not one of {known}")
        if self.step_tokens < self.max_batch:
            raise OptionError(
                f"max_tokens {self.step_tokens} is less than max_batch {self.max_batch}: a step "
                "must take one token of every sequence. Raise max_tokens."
            )
        for name, tile in self.tiles:
            if not re.fullmatch(r"[a-z_]+", name) or not re.fullmatch(r"\d+(x\d+)*", tile):
                raise OptionError(f"tile '{name}:{tile}' is not OPERATOR:SIZExSIZE, as linear:16")
        for text in self.passes:
            if not re.fullmatch(r"[a-z-]+:[a-z-]+=[^\s{}]+", text):
                raise OptionError(
                    f"'{text}' is not PIPELINE:OPTION=VALUE, as pipeline-handoffs:data=false"
                )
        target = self.find_target()
        if self.worker_count > target.workers:
            raise OptionError(
                f"{self.worker_count} workers, but target '{target.name}' has {target.workers}: "
                "all workers must be resident at once. Ask for fewer."
            )
        if self.check and target.codegen != "cpu":
            raise OptionError("check is for the target cpu only")

    @property
    def schedule_policy(self) -> str:
        """The policy as `schedule-static` knows it."""
        if self.policy != "auto":
            return self.policy
        return "round-robin" if self.find_target().codegen == "nvvm" else "list"

    @classmethod
    def of(cls, **values: Any) -> CompileOptions:
        """From keyword arguments; `tiles` may be a mapping, `passes` a list. Raises OptionError."""
        known = {field.name for field in dataclasses.fields(cls)}
        for name in values:
            if name not in known:
                raise OptionError(f"no option '{name}'. Options: {', '.join(sorted(known))}")
        tiles = values.pop("tiles", ())
        if isinstance(tiles, Mapping):
            tiles = tuple(sorted(tiles.items()))
        passes = tuple(values.pop("passes", ()))
        return cls(tiles=tuple(tiles), passes=passes, **values)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> CompileOptions:
        """From what `dataclasses.asdict` gave, by way of JSON. Raises OptionError, KeyError."""
        tiles = tuple((name, tile) for name, tile in values["tiles"])
        # A file of an older version has no options of passes.
        given = {**values, "tiles": tiles, "passes": tuple(values.get("passes", ()))}
        return cls(**given)

    def find_target(self) -> Target:
        return Target.find(self.target)

    @property
    def worker_count(self) -> int:
        if self.workers is not None:
            return self.workers
        target = self.find_target()
        if target.codegen == "cpu":
            return min(len(os.sched_getaffinity(0)), target.workers)
        return target.workers

    @property
    def step_tokens(self) -> int:
        """The largest T of a step."""
        if self.max_tokens is not None:
            return self.max_tokens
        return max(16, self.max_batch)

    @property
    def pages_per_seq(self) -> int:
        return -(-self.max_seq // self.page_tokens)

    @property
    def pages(self) -> int:
        return self.num_pages or self.max_batch * self.pages_per_seq

    def hash(self) -> str:
        """Hex digest of all that changes the kernel, defaults resolved."""
        values = dataclasses.asdict(self)
        values["workers"], values["max_tokens"] = self.worker_count, self.step_tokens
        values["num_pages"] = self.pages
        values["target"] = self.find_target().path.read_text(encoding="utf-8")
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _check_positive(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise OptionError(f"{name} must be a positive number, not {value!r}")
