# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`etc compile`: a model to a file that `etc generate` and `etc inspect` read.

For a GPU: a model's step or a graph to a package, which `etc_mlir.runtime` loads.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from etc_mlir.cli.console import err, folder, options, out, progress
from etc_mlir.options import CompileOptions


def run(args: argparse.Namespace) -> int:
    wanted = options(args, trace=args.trace)
    if wanted.find_target().codegen == "nvvm":
        return _package(args, wanted)
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


def _package(args: argparse.Namespace, wanted: CompileOptions) -> int:
    from etc_mlir.compile_gpu import compile_file, compile_model

    compile_ = compile_file if args.model.endswith(".mlir") else compile_model
    with progress() as report:
        package = compile_(args.model, wanted, keep=folder(args.keep), report=report)
    source = Path(args.model).resolve()
    # A folder such as qwen3-0.6b has no suffix to take off.
    path = Path(args.output or f"{source.name if source.is_dir() else source.stem}.etc")
    package.write(path)
    workers = max(schedule.workers for schedule in package.schedules)
    out.print(
        f"{path}: {path.stat().st_size / 1024:.0f} KiB for {package.target} ({package.arch}), "
        f"{workers} workers, {len(package.tables['launch_names'])} launches, {package.registers} "
        "registers a thread, none spilled",
        markup=False,
    )
    return 0
