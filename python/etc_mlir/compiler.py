# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`etc_mlir.compile`: a Hugging Face decoder to a kernel with its weights, ready to generate."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import etc_mlir
from etc_mlir import cache, knobs, phases
from etc_mlir.archive import FORMAT, Archive
from etc_mlir.errors import CheckpointError, EtcError, OptionError
from etc_mlir.model import CompiledModel
from etc_mlir.options import CompileOptions
from etc_mlir.package import Package, is_package
from etc_mlir.program import Program
from etc_mlir.report import Report, silent

if TYPE_CHECKING:
    from etc_mlir.decoder import Decoder
    from etc_mlir.frontend.importer import ImportedModel

T = TypeVar("T")
# What the import depends on beside the model: part of the key of a model that was not imported yet.
_FRAMEWORKS = ("torch", "transformers", "torch-mlir")


def compile(model: Any, target: str = "cpu", **options: Any) -> CompiledModel:
    """Compiles a model and loads its weights.

    model: a folder in Hugging Face's layout, or a `*ForCausalLM`. Further options are those of
    `CompileOptions`: max_batch, max_seq, workers, policy, ... Raises OptionError, CheckpointError,
    ImportModelError for what the model uses and the compiler lacks, CompileError.
    """
    return compile_with(model, CompileOptions.of(target=target, **options))


def compile_with(
    model: Any, options: CompileOptions, *, keep: Path | None = None, report: Report = silent
) -> CompiledModel:
    """`compile` with options in one object. keep: a folder for the IR after every phase.

    Raises TargetError for a GPU that is not there, before anything is compiled.
    """
    if options.find_target().codegen == "nvvm":
        from etc_mlir.compile_gpu import compile_model
        from etc_mlir.loader import load_package
        from etc_mlir.runtime.launch import require_device

        require_device()
        package = compile_model(model, options, keep=keep, report=report)
        return load_package(package, model, report=report)
    archive = compile_package(model, options, keep=keep, report=report)
    return load_archive(archive, model, report)


def compile_package(
    model: Any, options: CompileOptions, *, keep: Path | None = None, report: Report = silent
) -> Archive:
    """The compiled program without its weights, from the kernel cache if it is there."""

    def build(imported: ImportedModel) -> Archive:
        return _build(model, imported, options, keep, report)

    return cached(model, options, Kind(build, Archive.files, Archive.of), keep=keep, report=report)


@dataclasses.dataclass(frozen=True)
class Kind(Generic[T]):
    """What is compiled: how it is made of an import, and how the kernel cache holds it."""

    build: Callable[[ImportedModel], T]
    files: Callable[[T], dict[str, bytes]]
    of: Callable[[Mapping[str, bytes]], T]


def cached(
    model: Any, options: CompileOptions, kind: Kind[T], *, keep: Path | None, report: Report
) -> T:
    """The compiled program of a model, from the kernel cache if it is there."""
    keep = keep or knobs.DUMP_DIR.get()
    store = cache.KernelCache(knobs.CACHE_DIR.get()) if knobs.CACHE.get() and not keep else None
    key = _folder_key(model, options) if _is_folder(model) else None
    if store and key and (found := _cached(store, key, kind)):
        return found
    imported = import_for(model, options, report)
    if key is None:
        key = cache.key(_compiler(options), options.hash(), imported.text)
        if store and (found := _cached(store, key, kind)):
            return found
    made = kind.build(imported)
    if store:
        store.put(key, kind.files(made))
    return made


def inspect_program(
    source: str, options: CompileOptions, *, keep: Path | None = None, report: Report = silent
) -> Program:
    """The tables of a model folder, of a file of `etc compile`, or of a file for etc-opt."""
    if source.endswith(".etc"):
        if is_package(source):
            return Program.parse(json.dumps(Package.read(source).tables))
        return Archive.open(Path(source)).program
    if not source.endswith(".mlir"):
        return compile_package(source, options, keep=keep, report=report).program
    try:
        text = Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise OptionError(f"{source} cannot be read: {error.strerror}") from error
    # The persistent level has the tables; what follows is code.
    wanted = [p for p in phases.remaining(text, options) if p.name not in phases.CODE]
    return Program.parse(phases.tables(phases.run(text, wanted, keep=keep, report=report)))


def _build(
    model: Any,
    imported: ImportedModel,
    options: CompileOptions,
    keep: Path | None,
    report: Report,
) -> Archive:
    from safetensors.torch import save

    grids: dict[str, list[list[int]]] = {}
    graph = ""

    def observe(phase: phases.Phase, module: Any) -> None:
        nonlocal graph
        if phase.name == "schedule":
            grids.update(phases.grids(module))
            graph = str(module) if options.check else ""

    module = phases.run(
        imported.text, phases.phases(options), keep=keep, report=report, observe=observe
    )
    about = describe(model, imported, options)
    return Archive(
        options=options,
        program_text=phases.tables(module),
        code=str(module).encode(),
        constants=save({n: t.contiguous() for n, t in imported.constants.items()}),
        vocab_size=about.vocab_size,
        eos=about.eos,
        model=about.folder,
        weights={n: (w.tied, w.shape, w.dtype) for n, w in about.weights.items()},
        grids=grids,
        graph=graph,
    )


def describe(model: Any, imported: ImportedModel, options: CompileOptions) -> Decoder:
    """What a package says of the model that it was made of."""
    from etc_mlir.decoder import Decoder, Weight

    logits = next(r for r in imported.results if r.name == "logits")
    return Decoder(
        options=options,
        vocab_size=int(logits.shape[-1]),
        eos=_eos(model, imported.config),
        folder=str(Path(model).resolve()) if _is_folder(model) and Path(model).is_dir() else "",
        weights={
            a.name: Weight(
                tuple(int(d) for d in a.shape), str(a.dtype).removeprefix("torch."), a.tied
            )
            for a in imported.arguments
            if a.role == "weight" and a.name not in imported.constants
        },
        constants=imported.constants,
    )


def import_for(model: Any, options: CompileOptions, report: Report) -> ImportedModel:
    """The step of a model with the sizes of the options."""
    report("loading PyTorch", 0, 8)
    import torch

    from etc_mlir.frontend.importer import import_model

    report("importing the model", 0, 8)
    source = _config(Path(model)) if _is_folder(model) else model
    with warnings.catch_warnings():
        # torch.export copies a class of its own that is deprecated.
        warnings.simplefilter("ignore", FutureWarning)
        return import_model(
            source,
            max_tokens=options.step_tokens,
            max_seqs=options.max_batch,
            page_tokens=options.page_tokens,
            max_seq_len=options.max_seq,
            dtype=getattr(torch, options.dtype) if options.dtype else None,
            num_pages=options.pages,
        )


def _config(path: Path) -> Any:
    """The config of a folder, or of a config.json alone. Raises CheckpointError, OptionError."""
    import transformers

    from etc_mlir.checkpoint import Checkpoint

    try:
        if path.is_file() and path.suffix == ".json":
            values = json.loads(path.read_text(encoding="utf-8"))
            return transformers.AutoConfig.for_model(values.pop("model_type"), **values)
        Checkpoint.open(path)  # says what is missing before transformers looks for it elsewhere
        return transformers.AutoConfig.from_pretrained(path, local_files_only=True)
    except CheckpointError:
        raise
    except (ValueError, KeyError, OSError, AttributeError) as error:
        where = path if path.is_file() else path / "config.json"
        raise OptionError(f"{where} is not a known model: {error}") from error


def _eos(model: Any, config: Any) -> tuple[int, ...]:
    found = getattr(config, "eos_token_id", None)
    if _is_folder(model):
        path = Path(model) / "generation_config.json"
        if path.is_file():
            found = json.loads(path.read_text(encoding="utf-8")).get("eos_token_id", found)
    else:
        found = getattr(getattr(model, "generation_config", None), "eos_token_id", None) or found
    return (found,) if isinstance(found, int) else tuple(found or ())


def load_archive(archive: Archive, model: Any, report: Report) -> CompiledModel:
    """A compiled model on threads, with the weights of `model`. Raises CheckpointError."""
    from etc_mlir.cpu_engine import CpuEngine
    from etc_mlir.weights import gather

    report("loading the weights", 7, 8)
    weights, tokenizer = gather(archive, model)
    report("machine code", 7, 8)
    engine = CpuEngine(
        archive.program,
        phases.parse(archive.code.decode()),
        weights,
        trace=archive.options.trace,
        grids=archive.grids,
    )
    if archive.options.check:
        from etc_mlir.interpreter.versions import CheckedEngine

        engine = CheckedEngine(engine, archive.graph)
    report("ready", 8, 8)
    return CompiledModel(
        engine,
        archive.options,
        archive.stats(),
        vocab_size=archive.vocab_size,
        tokenizer=tokenizer,
        eos=archive.eos,
    )


def _cached(store: cache.KernelCache, key: str, kind: Kind[T]) -> T | None:
    """An entry that cannot be used is removed, as one that is damaged."""
    files = store.get(key)
    if files is None:
        return None
    try:
        return kind.of(files)
    except (EtcError, KeyError):
        store.remove(key)
        return None


def _is_folder(model: Any) -> bool:
    return isinstance(model, str | os.PathLike)


def _folder_key(model: Any, options: CompileOptions) -> str | None:
    """The key of a model in a folder, from its config alone; None where that cannot be read."""
    versions = [f"{name} {_version(name)}" for name in _FRAMEWORKS]
    names = [Path(model) / n for n in ("config.json", "generation_config.json")]
    try:
        parts = [p.read_bytes() for p in (Path(model), *names) if p.is_file()]
    except OSError:
        return None
    return cache.key(
        _compiler(options), options.hash(), *versions, str(Path(model).resolve()), *parts
    )


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _compiler(options: CompileOptions) -> str:
    """What tells two builds of the compiler apart: its version, the native module's content, and
    the pipelines that the options make of it."""
    from etc_mlir import _etc

    path = Path(_etc.__file__)
    stat = path.stat()
    pipelines = " ".join(phase.pipeline for phase in phases.phases(options))
    return f"{etc_mlir.__version__} {FORMAT} {stat.st_size} {stat.st_mtime_ns} {pipelines}"
