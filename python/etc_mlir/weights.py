# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The weights of a compiled program, from a folder or from a model in memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load as load_bytes

from etc_mlir.archive import Archive
from etc_mlir.checkpoint import Checkpoint
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
        state = model.state_dict()
        for name, (shape, dtype) in expected.items():
            tensor = state.get(name)
            if tensor is None or (tuple(tensor.shape), tensor.dtype) != (shape, dtype):
                raise CheckpointError(f"the model has no '{name}' of {list(shape)} {dtype}")
        return {**{n: state[n].detach().cpu().contiguous() for n in expected}, **constants}, None
    if not model:
        raise CheckpointError("the file does not say where the weights are: give the folder")
    checkpoint = Checkpoint.open(os.fspath(model))
    checkpoint.validate(expected, tied)
    return {**dict(checkpoint.load_all(expected)), **constants}, checkpoint.tokenizer()
