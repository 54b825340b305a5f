# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The weights of a compiled program, from a folder or from a model in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load as load_bytes

from etc_mlir.archive import Archive
from etc_mlir.checkpoint import Checkpoint
from etc_mlir.decoder import Decoder
from etc_mlir.errors import CheckpointError

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def gather(archive: Archive, model: Any) -> tuple[dict[str, torch.Tensor], Tokenizer | None]:
    """Name -> tensor of every weight of the program, on the CPU, and the tokenizer if there is one.

    model: a folder, or an `nn.Module`. Raises CheckpointError.
    """
    constants = load_bytes(archive.constants)
    expected = {
        name: (shape, getattr(torch, dtype)) for name, (_, shape, dtype) in archive.weights.items()
    }
    tied = {name: other for name, (other, _, _) in archive.weights.items()}
    if isinstance(model, torch.nn.Module):
        state = _state(model, expected)
        return {**{n: t.detach().cpu().contiguous() for n, t in state.items()}, **constants}, None
    checkpoint = _open(model)
    checkpoint.validate(expected, tied)
    return {**dict(checkpoint.load_all(expected)), **constants}, checkpoint.tokenizer()


def stream(
    decoder: Decoder, model: Any
) -> tuple[Iterator[tuple[str, torch.Tensor]], Tokenizer | None]:
    """(name, tensor) of every weight of a decoder, one after the other, and the tokenizer if there
    is one. What is wrong with the whole is said here, before the first tensor is read.

    model: a folder, or an `nn.Module`. A folder's tensors are converted where the options name a
    dtype. Raises CheckpointError.
    """
    expected = {name: (w.shape, w.torch_dtype) for name, w in decoder.weights.items()}
    if isinstance(model, torch.nn.Module):
        tensors, tokenizer = iter(_state(model, expected).items()), None
    else:
        checkpoint = _open(model)
        convert = decoder.options.dtype is not None
        wanted = _stored(checkpoint, decoder) if convert else expected
        checkpoint.validate(wanted, decoder.tied)
        tensors, tokenizer = checkpoint.load_all(expected), checkpoint.tokenizer()

    def every() -> Iterator[tuple[str, torch.Tensor]]:
        yield from decoder.constants.items()
        for name, tensor in tensors:
            yield name, tensor.detach().to(expected[name][1])

    return every(), tokenizer


def _state(model: Any, expected: Mapping[str, tuple[Any, Any]]) -> dict[str, torch.Tensor]:
    """The tensors that are expected, of a model in memory. Raises CheckpointError."""
    state = model.state_dict()
    for name, (shape, dtype) in expected.items():
        tensor = state.get(name)
        if tensor is None or (tuple(tensor.shape), tensor.dtype) != (shape, dtype):
            raise CheckpointError(f"the model has no '{name}' of {list(shape)} {dtype}")
    return {name: state[name] for name in expected}


def _open(model: Any) -> Checkpoint:
    if not model:
        raise CheckpointError("the file does not say where the weights are: give the folder")
    return Checkpoint.open(os.fspath(model))


def _stored(
    checkpoint: Checkpoint, decoder: Decoder
) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    """What is expected, with the dtypes of the files where both are of floating point."""
    found = {}
    for name, weight in decoder.weights.items():
        names = [n for n in (name, *weight.tied) if n in checkpoint.tensors]
        stored = checkpoint.tensors[names[0]].dtype if names else weight.torch_dtype
        own = weight.torch_dtype
        found[name] = weight.shape, stored if stored.is_floating_point else own
    return found
