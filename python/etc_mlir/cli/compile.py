# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`etc compile`: a model to a file that `etc generate` and `etc inspect` read."""

from __future__ import annotations

import argparse
from pathlib import Path

from etc_mlir.cli.console import err, folder, options, out, progress


def run(args: argparse.Namespace) -> int:
    wanted = options(args)
    from etc_mlir.compiler import compile_package

    with progress() as report:
        package = compile_package(args.model, wanted, keep=folder(args.keep), report=report)
    path = Path(args.output or f"{Path(args.model).resolve().name}.etc")
    package.save(path)
    stats = package.stats()
    out.print(
        f"{path}: {path.stat().st_size / 1024:.0f} KiB for {wanted.target}, {stats.workers} "
        f"workers, {stats.launches} launches, {stats.tasks} tasks and {stats.events} events a "
        "decode step",
        markup=False,
    )
    if args.keep:
        err.print(f"the IR after every phase is in {args.keep}", markup=False)
    return 0
