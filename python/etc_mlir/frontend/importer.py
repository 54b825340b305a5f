# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`import_model`: a Hugging Face decoder to the text of one function `@step` of torch operators.

torch.export of `Step` under fake tensors, then torch-mlir's FX importer at `raw`. The text is in
generic form, with locations: pretty forms and bytecode are not stable between LLVM releases. No
weight is read: every parameter is an argument of the function, under its name in the checkpoint.
"""

from __future__ import annotations

import dataclasses
import operator
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch._dynamo.exc import TorchDynamoException
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.export import Dim, ExportedProgram
from torch.export.graph_signature import InputKind
from transformers import AutoModelForCausalLM

from etc_mlir.frontend import mlir_text, probes
from etc_mlir.frontend.errors import ImportModelError, UnsupportedModelError, UnsupportedOpError
from etc_mlir.frontend.simplify import simplify
from etc_mlir.frontend.step import Batch, Step, head_dim, kv_heads, patched
from etc_mlir.frontend.supported import SUPPORTED_OPS

Role = Literal["input", "weight", "state", "output"]


@dataclasses.dataclass(frozen=True)
class Argument:
    """An argument or a result of `@step`. A dimension is a number or the name of a symbol."""

    name: str
    role: Role
    shape: tuple[int | str, ...]
    dtype: torch.dtype
    # Other names in the model of the same storage (a tied lm_head).
    tied: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class ImportedModel:
    """The text of `@step`, and what a caller of it must know.

    ranges: smallest and largest value of each symbol; constants: the weights that are computed from
    the config and in no checkpoint (rotary frequencies); config: the model's own.
    """

    text: str
    arguments: tuple[Argument, ...]
    results: tuple[Argument, ...]
    ranges: dict[str, tuple[int, int]]
    constants: dict[str, Tensor]
    config: Any

    def weights(self) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
        """Name -> shape and dtype of every tensor that a checkpoint must give."""
        return {
            a.name: (tuple(int(d) for d in a.shape), a.dtype)
            for a in self.arguments
            if a.role == "weight" and a.name not in self.constants
        }


@dataclasses.dataclass(frozen=True)
class StepOptions:
    """Sizes of the step. T is 1..max_tokens, R is 1..rows; the rest is static."""

    max_tokens: int
    max_seqs: int
    page_tokens: int
    max_seq_len: int
    max_rows: int | None
    num_pages: int | None

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is not None and value < 1:
                raise ValueError(f"{field.name} must be at least 1, not {value}")
        if self.rows > self.max_tokens:
            raise ValueError(f"max_rows {self.rows} exceeds max_tokens {self.max_tokens}")

    @property
    def pages_per_seq(self) -> int:
        return -(-self.max_seq_len // self.page_tokens)

    @property
    def rows(self) -> int:
        return self.max_rows or min(self.max_seqs, self.max_tokens)

    @property
    def pages(self) -> int:
        return self.num_pages or self.max_seqs * self.pages_per_seq


def import_model(
    model_or_config: Any,
    *,
    max_tokens: int = 64,
    max_seqs: int = 16,
    page_tokens: int = 64,
    max_seq_len: int = 4096,
    dtype: torch.dtype | None = None,
    max_rows: int | None = None,
    num_pages: int | None = None,
) -> ImportedModel:
    """Imports a `*ForCausalLM` or a config of one, for which no weights are made.

    dtype: of weights, activations and cache; by default the model's or the config's.
    max_rows: by default min(max_seqs, max_tokens). num_pages: by default what max_seqs sequences of
    max_seq_len tokens need. Raises UnsupportedModelError, UnsupportedOpError, or ValueError for an
    option out of range, ImportModelError for what torch.export refuses.
    """
    options = StepOptions(
        max_tokens=max_tokens,
        max_seqs=max_seqs,
        page_tokens=page_tokens,
        max_seq_len=max_seq_len,
        max_rows=max_rows,
        num_pages=num_pages,
    )
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    model, constants = _model(model_or_config, dtype, fake)
    program = _export(model, options, fake)
    graph = program.graph_module.graph
    simplify(graph)
    _check_operators(program)
    arguments = _arguments(program, model)
    symbols = _symbols(program, options)
    described = [_describe(a, v, symbols) for a, v in arguments]
    results = _results(graph, symbols)
    held = {a.name for a in described}
    constants = {name: value for name, value in constants.items() if name in held}
    ranges = {name: bounds for name, (_, bounds) in symbols.items()}
    text = mlir_text.emit(graph, described, results, ranges, frozenset(constants))
    return ImportedModel(text, tuple(described), tuple(results), ranges, constants, model.config)


def _model(
    source: Any, dtype: torch.dtype | None, fake: FakeTensorMode
) -> tuple[Any, dict[str, Tensor]]:
    """The model, its parameters fake if it was made here, and its non-persistent buffers, real."""
    if isinstance(source, nn.Module):
        model: Any = source
        if dtype is not None and dtype != getattr(model, "dtype", dtype):
            raise ValueError(
                f"dtype {dtype} asked for a model of {model.dtype}; load it with dtype={dtype}"
            )
        if model.training:
            raise UnsupportedModelError(
                "a model in training mode", supported="inference", action="Call model.eval()."
            )
    else:
        with fake:
            model = AutoModelForCausalLM.from_config(source, dtype=dtype or source.dtype).eval()
    return model, _constants(model)


def _constants(model: Any) -> dict[str, Tensor]:
    """The values of the buffers that no checkpoint holds, on the CPU."""
    saved, found = set(model.state_dict()), {}
    for path, module in model.named_modules():
        buffers = dict(module.named_buffers(recurse=False))
        if any(isinstance(b, FakeTensor) or b.is_meta for b in buffers.values()):
            # These have no values; a rotary module made again from its config has them.
            buffers = (
                dict(type(module)(module.config).named_buffers())
                if probes.is_rotary(module)
                else {}
            )
        for name, buffer in buffers.items():
            full = f"{path}.{name}" if path else name
            if full not in saved:
                found[full] = buffer.detach().to("cpu", copy=True)
    return found


def _export(model: Any, options: StepOptions, fake: FakeTensorMode) -> ExportedProgram:
    config = model.config
    heads, size = kv_heads(config), head_dim(config)
    cache = (options.pages, heads, 2, options.page_tokens, size)
    with fake, torch.device(next(model.parameters()).device):
        tokens = [torch.zeros(options.max_tokens, dtype=torch.int64) for _ in range(3)]
        table = torch.zeros(options.max_seqs, options.pages_per_seq, dtype=torch.int64)
        rows = torch.zeros(options.rows, dtype=torch.int64)
        caches = [torch.zeros(cache, dtype=model.dtype) for _ in range(config.num_hidden_layers)]
    # A symbol of one value is a number: torch.export refuses such a range.
    token = {0: Dim("T", min=1, max=options.max_tokens)} if options.max_tokens > 1 else None
    row = {0: Dim("R", min=1, max=options.rows)} if options.rows > 1 else None
    batch = Batch(options.max_seq_len)
    with patched(model, batch), torch.no_grad():
        try:
            program = torch.export.export(
                Step(model, batch),
                (*tokens, table, rows, *caches),
                dynamic_shapes=(token, token, token, None, row, (None,) * len(caches)),
                strict=False,
            )
        except (RuntimeError, TorchDynamoException) as error:
            raise ImportModelError(
                f"torch.export cannot trace {type(model).__name__} as one step: {error}"
            ) from error
    # An empty table: only functionalisation, every operator stays whole.
    return program.run_decompositions({})


def _check_operators(program: ExportedProgram) -> None:
    for node in program.graph.nodes:
        if node.op == "call_function" and node.target is not operator.getitem:
            name = mlir_text.operator_name(node)
            if name not in SUPPORTED_OPS:
                raise UnsupportedOpError(name, mlir_text.source_line(node), mlir_text.scope(node))
        elif node.op not in ("placeholder", "output", "call_function"):
            raise ImportModelError(f"the exported graph holds a {node.op} node, '{node.name}'")


def _arguments(program: ExportedProgram, model: nn.Module) -> list[tuple[Argument, Tensor]]:
    """One per placeholder that stays. Erases the weights that nothing reads and the tied copies."""
    graph, signature = program.graph_module.graph, program.graph_signature
    specs = {spec.arg.name: spec for spec in signature.input_specs}
    held: dict[str, Tensor] = {}
    held.update(model.named_parameters(remove_duplicate=False))
    held.update(model.named_buffers(remove_duplicate=False))
    names: dict[int, list[str]] = {}
    for name, tensor in held.items():
        names.setdefault(id(tensor), []).append(name)
    first: dict[str, torch.fx.Node] = {}
    kept: list[tuple[Argument, Tensor]] = []
    for node in [n for n in graph.nodes if n.op == "placeholder"]:
        spec, value = specs[node.name], node.meta["val"]
        if spec.kind == InputKind.USER_INPUT:
            name, role = _input_name(node.name)
            kept.append((Argument(name, role, (), value.dtype), value))
            continue
        if spec.kind not in (InputKind.PARAMETER, InputKind.BUFFER) or spec.target is None:
            raise ImportModelError(f"argument '{node.name}' of kind {spec.kind.name} has no name")
        # `Step` holds the model as its only child, `model`.
        name = spec.target.removeprefix("model.")
        same = names[id(held[name])]
        if same[0] in first:
            node.replace_all_uses_with(first[same[0]])
        if not node.users:
            graph.erase_node(node)
            continue
        first[same[0]] = node
        tied = tuple(n for n in same if n != same[0])
        kept.append((Argument(same[0], "weight", (), value.dtype, tied), value))
    return kept


def _input_name(name: str) -> tuple[str, Role]:
    stem, _, index = name.rpartition("_")
    return (f"cache.{index}", "state") if stem == "caches" else (name, "input")


def _symbols(
    program: ExportedProgram, options: StepOptions
) -> dict[str, tuple[str, tuple[int, int]]]:
    """Our name -> the exporter's, and the range."""
    found: dict[str, tuple[str, tuple[int, int]]] = {}
    wanted = {"ids": ("T", options.max_tokens), "rows": ("R", options.rows)}
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in wanted:
            name, largest = wanted[node.name]
            size = node.meta["val"].shape[0]
            if isinstance(size, torch.SymInt):
                found[name] = (str(size), (1, largest))
            elif largest > 1:
                raise UnsupportedModelError(
                    f"code that works for {name} = {size} only",
                    supported="any number of tokens in a step",
                    action="Look for Python branches on sequence lengths in the model's forward.",
                )
    bounds = {str(s): (int(r.lower), int(r.upper)) for s, r in program.range_constraints.items()}
    for name, (symbol, expected) in found.items():
        if bounds.get(symbol) != expected:
            raise UnsupportedModelError(
                f"code that works for {name} in {bounds.get(symbol)} only",
                supported=f"{name} in {expected}",
                action="Look for Python branches on sequence lengths in the model's forward.",
            )
    return found


def _describe(
    argument: Argument, value: Tensor, symbols: dict[str, tuple[str, tuple[int, int]]]
) -> Argument:
    names = {symbol: name for name, (symbol, _) in symbols.items()}
    shape = tuple(d if isinstance(d, int) else names[str(d)] for d in value.shape)
    return dataclasses.replace(argument, shape=shape)


def _results(
    graph: torch.fx.Graph, symbols: dict[str, tuple[str, tuple[int, int]]]
) -> list[Argument]:
    outputs = list(next(n for n in graph.nodes if n.op == "output").args[0])
    found = []
    for index, node in enumerate(outputs):
        value, role = node.meta["val"], "output" if index < 2 else "state"
        name = ("tokens", "logits")[index] if index < 2 else f"cache.{index - 2}"
        found.append(_describe(Argument(name, role, (), value.dtype), value, symbols))
    return found
