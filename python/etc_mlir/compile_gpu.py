# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A program for a GPU: a file for etc-opt to a package, on any machine with ptxas."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path
from typing import Any

from etc_mlir import phases
from etc_mlir.errors import OptionError
from etc_mlir.options import CompileOptions
from etc_mlir.package import Package
from etc_mlir.report import Report, silent

_FILE = "package.etc"


def compile_file(
    path: str | Path, options: CompileOptions, *, keep: Path | None = None, report: Report = silent
) -> Package:
    """`compile_text` of a file. Raises OptionError if it cannot be read."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise OptionError(f"{path} cannot be read: {error.strerror}") from error
    return compile_text(text, options, keep=keep, report=report)


def compile_model(
    model: Any, options: CompileOptions, *, keep: Path | None = None, report: Report = silent
) -> Package:
    """`compile_text` of the step of a model: a folder, a config.json, or a `*ForCausalLM`. From
    the kernel cache if it is there."""
    from etc_mlir import compiler

    def build(imported: compiler.ImportedModel) -> Package:
        package = compile_text(imported.text, options, keep=keep, report=report)
        decoder = compiler.describe(model, imported, options)
        return dataclasses.replace(package, model=decoder.to_json())

    kind = compiler.Kind(
        build, lambda package: {_FILE: package.to_bytes()}, lambda f: Package.from_bytes(f[_FILE])
    )
    return compiler.cached(model, options, kind, keep=keep, report=report)


def compile_text(
    text: str, options: CompileOptions, *, keep: Path | None = None, report: Report = silent
) -> Package:
    """The package of a module at any level from the imported step to a scheduled graph, which goes
    through the phases that are left. keep: a folder for the IR after each.

    Raises OptionError for a target that is no GPU, CompileError, TargetError without ptxas.
    """
    target = options.find_target()
    if target.codegen != "nvvm":
        raise OptionError(f"target '{target.name}' is no GPU: a package is for one, as h200")
    module = phases.run(text, phases.remaining(text, options), keep=keep, report=report)
    report("assembling", 1, 1)
    tables = phases.tables(module).decode()
    return Package.assemble(tables, target.name, target.chip, _commit())


def _commit() -> str:
    """The commit of the sources that this package runs from, or "unknown"."""
    root = Path(__file__).parents[2]
    command = ["git", "-C", str(root), "rev-parse", "--short=9", "HEAD"]
    if not (root / "dialects").is_dir():
        return "unknown"  # installed; a repository around it would be another one
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
