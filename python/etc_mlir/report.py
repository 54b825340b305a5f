# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How what takes long says how far it is."""

from __future__ import annotations

from collections.abc import Callable

# Called with what is being done, how much is done, and out of how much.
Report = Callable[[str, int, int], None]


def silent(what: str, done: int, total: int) -> None:
    pass
