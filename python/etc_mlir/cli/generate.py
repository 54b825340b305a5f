# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`etc generate`: continue one or more prompts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from etc_mlir.cli.console import OPTIONS, err, folder, options, out, progress
from etc_mlir.errors import OptionError
from etc_mlir.model import CompiledModel


def run(args: argparse.Namespace) -> int:
    prompts = _prompts(args)
    _check_trace(args.trace)
    if args.model.endswith(".etc"):
        _check_fixed(args)
    wanted = options(args, max_batch=max(args.max_batch, 1), trace=bool(args.trace))
    with progress() as report:
        if args.model.endswith(".etc"):
            from etc_mlir.loader import load

            model = load(args.model, trace=bool(args.trace), report=report)
        else:
            from etc_mlir.compiler import compile_with

            model = compile_with(args.model, wanted, keep=folder(args.keep), report=report)
    ids = [p if isinstance(p, list) else _encode(model, p) for p in prompts]
    eos = () if args.ignore_eos else None
    if len(ids) == 1:
        stream(model, ids[0], args.max_new_tokens, eos)
    else:
        for number, found in enumerate(model.generate(ids, args.max_new_tokens, eos=eos)):
            out.print(f"[bold]\\[{number}][/bold] ", end="")
            out.print(_decode(model, found), markup=False)
    last = model.last
    err.print(
        f"{last.new_tokens} tokens in {last.seconds:.2f} s, {last.tokens_per_s:.1f} tokens/s, "
        f"{last.steps} steps"
    )
    save_trace(model, args.trace)
    return 0


def stream(
    model: CompiledModel, prompt: list[int], count: int, eos: Sequence[int] | None = None
) -> None:
    """Prints the continuation as it is made."""
    for piece in model.generate(prompt, count, stream=True, eos=eos):
        out.print(piece.text if model.tokenizer else f"{piece.token} ", end="", markup=False)
        out.file.flush()
    out.print()


def save_trace(model: CompiledModel, path: str | None) -> None:
    """Writes the timeline of the last step, where one was asked for."""
    if path is None:
        return
    trace = model.trace()
    trace.save(path)
    tasks = sum(map(len, trace.records))
    err.print(f"the last step's {tasks} tasks are in {path}", markup=False)


def _check_trace(path: str | None) -> None:
    """Before the work is done, not after it."""
    if path is not None and not path.endswith((".json", ".svg")):
        raise OptionError(f"{path}: a trace is written as .json (Perfetto) or .svg (picture)")


def _check_fixed(args: argparse.Namespace) -> None:
    """What a file was compiled for cannot be changed by a flag: it must not look as if it could."""
    for name in OPTIONS:
        if getattr(args, name) not in (OPTIONS[name], None):
            flag = "--" + name.replace("_", "-")
            raise OptionError(
                f"{flag} has no effect on {args.model}, which is compiled already. Leave it out, "
                f"or give {flag} to `etc compile`."
            )


def _prompts(args: argparse.Namespace) -> list[str | list[int]]:
    found: list[str | list[int]] = list(args.prompt or ())
    for text in args.ids or ():
        parts = text.split(",")
        if not all(part.strip().isdecimal() for part in parts):
            raise OptionError(f"--ids {text!r} is not a list of token ids such as 5,17,3")
        found.append([int(part) for part in parts])
    if not found:
        raise OptionError('no prompt: give --prompt "TEXT" or --ids 5,17,3')
    return found


def _encode(model: CompiledModel, text: str) -> list[int]:
    if model.tokenizer is None:
        raise OptionError("the model has no tokenizer.json: give the prompt with --ids")
    return model.tokenizer.encode(text).ids


def _decode(model: CompiledModel, tokens: list[int]) -> str:
    return model.tokenizer.decode(tokens) if model.tokenizer else " ".join(map(str, tokens))
