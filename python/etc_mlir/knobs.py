# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every environment variable that etc_mlir reads, typed, in one place.

A knob changes how etc_mlir works, never what it computes: what changes the kernel is an option
(`options.py`), because it must be part of the cache's key.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from etc_mlir.errors import OptionError

T = TypeVar("T")
_FLAGS = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}


class Knob(Generic[T]):
    """One variable. `get` reads the environment at the time of the call."""

    def __init__(self, name: str, default: T, parse: Callable[[str], T], help: str) -> None:
        self.name, self.default, self.help = name, default, help
        self._parse = parse
        self._scopes: list[T] = []

    def get(self) -> T:
        """The innermost `scope`, else the environment, else the default. Raises OptionError."""
        if self._scopes:
            return self._scopes[-1]
        text = os.environ.get(self.name)
        if text is None or text == "":
            return self.default
        try:
            return self._parse(text)
        except (ValueError, KeyError):
            raise OptionError(f"{self.name}={text!r} cannot be used: {self.help}") from None

    @contextlib.contextmanager
    def scope(self, value: T) -> Iterator[None]:
        """While it lasts, `get` gives `value` (for tests)."""
        self._scopes.append(value)
        try:
            yield
        finally:
            self._scopes.pop()


def _flag(text: str) -> bool:
    return _FLAGS[text.lower()]


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def _default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "etc_mlir"


CACHE_DIR: Knob[Path] = Knob(
    "ETC_CACHE_DIR", _default_cache(), Path, "the folder of compiled kernels"
)
CACHE: Knob[bool] = Knob(
    "ETC_CACHE", True, _flag, "1 keeps compiled kernels on disk, 0 compiles every time"
)
DUMP_DIR: Knob[Path | None] = Knob(
    "ETC_DUMP_DIR", None, Path, "a folder that gets the IR after every phase"
)
TIMEOUT_S: Knob[float] = Knob(
    "ETC_TIMEOUT_S",
    20.0,
    _positive,
    "a positive number of seconds, the bound of one wait",
)

ALL: tuple[Knob, ...] = (CACHE_DIR, CACHE, DUMP_DIR, TIMEOUT_S)
