# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the commands share: the console, progress, and options from arguments."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from etc_mlir.options import POLICIES, CompileOptions
from etc_mlir.report import Report

out = Console(highlight=False, soft_wrap=True)
# Progress goes to stderr: what is generated can be piped.
err = Console(stderr=True, highlight=False, soft_wrap=True)

# The arguments of `_add_options` and their defaults.
OPTIONS: dict[str, object] = {
    "target": "cpu",
    "workers": None,
    "max_batch": 1,
    "max_seq": 1024,
    "max_tokens": None,
    "policy": POLICIES[0],
    "tile": [],
    "set": [],
    "dtype": None,
    "check": False,
    "keep": None,
}


@contextlib.contextmanager
def progress() -> Iterator[Report]:
    """Gives `report(what, done, total)`: a bar on a terminal, else a line for every new `what`."""
    if not err.is_terminal:
        start = time.monotonic()
        seen: set[str] = set()

        def line(what: str, done: int, total: int) -> None:
            if what not in seen:
                seen.add(what)
                err.print(f"[{time.monotonic() - start:5.1f} s] {what}")

        yield line
        return
    bar = Progress(
        TextColumn("{task.description:<34}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    )
    with bar:
        task = bar.add_task("starting", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield show


def options(args: argparse.Namespace, **changes: object) -> CompileOptions:
    """CompileOptions from the arguments of `_add_options`. Raises OptionError."""
    tiles = tuple(tuple(tile.split(":", 1)) if ":" in tile else (tile, "") for tile in args.tile)
    values = {
        "target": args.target,
        "workers": args.workers,
        "max_batch": args.max_batch,
        "max_seq": args.max_seq,
        "max_tokens": args.max_tokens,
        "policy": args.policy,
        "tiles": tiles,
        "passes": tuple(args.set),
        "dtype": args.dtype,
        "check": args.check,
    }
    return CompileOptions.of(**{**values, **changes})


def folder(text: str | None) -> Path | None:
    return Path(text) if text else None
