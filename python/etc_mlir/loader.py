# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`etc_mlir.load`: a model from a file of `etc compile`, for threads or for a GPU.

For a GPU nothing here needs the compiler's native module.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from etc_mlir.archive import Archive
from etc_mlir.model import CompiledModel, KernelStats
from etc_mlir.package import Package, is_package
from etc_mlir.report import Report, silent


def load(
    path: str | os.PathLike[str], model: Any = None, *, trace: bool = False, report: Report = silent
) -> CompiledModel:
    """A model from a file of `etc compile`. model: where the weights are, if they have moved;
    trace: record every task, whatever the file says.

    Raises ArchiveError, PackageError, CheckpointError, and TargetError where the GPU is missing.
    """
    path = Path(path)
    if is_package(path):
        return load_package(Package.read(path), model, trace=trace, report=report)
    from etc_mlir.compiler import load_archive

    archive = Archive.open(path)
    if trace:
        options = dataclasses.replace(archive.options, trace=True)
        archive = dataclasses.replace(archive, options=options)
    return load_archive(archive, archive.model if model is None else model, report)


def load_package(
    package: Package, model: Any = None, *, trace: bool = False, report: Report = silent
) -> CompiledModel:
    """The decoder of a package on this machine's GPU, with the weights of `model`: a folder, or a
    `*ForCausalLM`; None: the folder that it was compiled from.

    Raises TargetError before any weight is read, PackageError, CheckpointError.
    """
    from etc_mlir.decoder import Decoder
    from etc_mlir.gpu_engine import GpuEngine
    from etc_mlir.program import Program
    from etc_mlir.weights import stream

    decoder = Decoder.of(package)
    engine = GpuEngine(package, trace=trace or decoder.options.trace)
    weights, tokenizer = stream(decoder, decoder.folder if model is None else model)
    engine.program.bind(
        weights, lambda name, done, total: report("loading the weights", done, total)
    )
    report("ready", 1, 1)
    return CompiledModel(
        engine,
        decoder.options,
        KernelStats.of(Program.of(package.tables)),
        vocab_size=decoder.vocab_size,
        tokenizer=tokenizer,
        eos=decoder.eos,
    )
