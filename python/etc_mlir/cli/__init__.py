# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command `etc`."""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line; gives the exit status."""
    # Nothing heavy is imported before the arguments are known to be right.
    from etc_mlir.cli.parser import run

    return run(argv)


__all__ = ["main"]
