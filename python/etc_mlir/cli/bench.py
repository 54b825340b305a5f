# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`etc bench`: numbers of this machine, as a table and as JSON."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
from pathlib import Path
from typing import Any

from rich.table import Table

from etc_mlir.cli.console import err, out, progress
from etc_mlir.cli.demo import tiny_model
from etc_mlir.errors import OptionError, TargetError

_PROMPT = "Return a new dictionary that"


def run(args: argparse.Namespace) -> int:
    results = _decode(args) if args.what == "decode" else _hops(args)
    found = {
        "benchmark": args.what,
        "machine": {"processor": platform.machine(), "threads": os.cpu_count()},
        "results": results,
    }
    if args.json:
        try:
            Path(args.json).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise OptionError(f"{args.json} cannot be written: {error.strerror}") from error
        err.print(f"results are in {args.json}", markup=False)
    return 0


def _decode(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Tokens per second of one sequence, for each number of workers."""
    from etc_mlir.compiler import compile_with
    from etc_mlir.options import CompileOptions

    folder, rows = args.model or tiny_model(), []
    table = Table("workers", "tokens/s", "least", "most", "ms a step", "tasks", "events")
    for workers in _numbers(args.workers):
        with progress() as report:
            model = compile_with(folder, CompileOptions.of(workers=workers), report=report)
        prompt = model.tokenizer.encode(_PROMPT).ids if model.tokenizer else [1, 2, 3]
        model.generate(prompt, 2, eos=())  # the first step touches fresh memory
        speeds = []
        for _ in range(args.repeat):
            model.generate(prompt, args.new_tokens, eos=())
            speeds.append(model.last.tokens_per_s)
        middle = statistics.median(speeds)
        kernel = model.kernel
        row = {
            "workers": workers,
            "tokens_per_s": middle,
            "samples": speeds,
            "new_tokens": args.new_tokens,
            "tasks": kernel.tasks,
            "events": kernel.events,
        }
        rows.append(row)
        numbers = (middle, min(speeds), max(speeds), 1000 / middle)
        table.add_row(
            str(workers), *(f"{n:.1f}" for n in numbers), str(kernel.tasks), str(kernel.events)
        )
    out.print(table)
    return rows


def _hops(args: argparse.Namespace) -> list[dict[str, Any]]:
    if importlib.util.find_spec("cuda") is None:
        raise TargetError(
            "`etc bench hops` measures a GPU, and cuda-bindings is not installed. Install "
            "requirements-cuda.txt on a machine with a GPU of compute capability 9.0."
        )
    if args.packages is None:
        raise OptionError(
            "`etc bench hops` runs packages: write them with `python benchmarks/build_packages.py "
            "FOLDER` and give --packages FOLDER"
        )
    from etc_mlir.runtime import hops

    return hops.measure(Path(args.packages))


def _numbers(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise OptionError(f"--workers {text!r} is not a list of numbers such as 1,2,4")
    return [int(part) for part in parts]
