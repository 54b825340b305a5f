# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`etc demo`: a model small enough for a laptop, through the whole compiler."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from etc_mlir.cli.console import out, progress
from etc_mlir.cli.generate import save_trace, stream
from etc_mlir.errors import OptionError

_PROMPT = "Return a new"


def tiny_model() -> Path:
    """The checkpoint in the source tree. Raises OptionError where there is none."""
    path = Path(__file__).resolve().parents[3] / "test" / "data" / "tiny-qwen3"
    if not (path / "config.json").is_file():
        raise OptionError(
            f"{path} is not there: the demo needs the source tree. Use `etc generate MODEL`."
        )
    return path


def run(args: argparse.Namespace) -> int:
    folder = tiny_model()
    from etc_mlir.compiler import compile_with
    from etc_mlir.options import CompileOptions

    values = {"max_seq": 512, "trace": bool(args.trace)}
    options = CompileOptions.of(workers=args.workers or 2, **values)
    start = time.perf_counter()
    with progress() as report:
        model = compile_with(folder, options, report=report)
    kernel = model.kernel
    out.print(
        f"[bold]tiny-qwen3[/bold], one kernel of {kernel.launches} launches, on "
        f"{kernel.workers} threads; ready after {time.perf_counter() - start:.1f} s\n"
    )
    prompt = args.prompt or _PROMPT
    assert model.tokenizer is not None
    out.print(prompt, style="bold", markup=False, end="")
    stream(model, model.tokenizer.encode(prompt).ids, args.max_new_tokens)
    last = model.last
    out.print(
        f"\n{last.tokens_per_s:.0f} tokens/s: {last.new_tokens} tokens in {last.steps} launches of "
        f"one persistent kernel.\nEach decode step is {kernel.tasks} tasks on {kernel.workers} "
        f"workers, ordered by {kernel.events} events and no barrier."
    )
    save_trace(model, args.trace)
    out.print("[green]The demo is complete: the compiled kernel generated this text.[/green]")
    return 0
