# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a package says of the decoder whose step it is: all that `generate` needs but the weights.

In the package's JSON, so that it is used where neither the compiler nor transformers is.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from etc_mlir.options import CompileOptions
from etc_mlir.package import Package, PackageError


@dataclasses.dataclass(frozen=True)
class Weight:
    """A tensor of a checkpoint. tied: other names that it may have there."""

    shape: tuple[int, ...]
    dtype: str  # as PyTorch spells it: bfloat16
    tied: tuple[str, ...] = ()

    @property
    def torch_dtype(self) -> torch.dtype:
        return getattr(torch, self.dtype)


@dataclasses.dataclass(frozen=True)
class Decoder:
    """folder: of the weights, or ""; weights: what a checkpoint must give; constants: what none
    holds, by name (rotary frequencies).
    """

    options: CompileOptions
    vocab_size: int
    eos: tuple[int, ...]
    folder: str
    weights: Mapping[str, Weight]
    constants: Mapping[str, torch.Tensor]

    @property
    def tied(self) -> dict[str, tuple[str, ...]]:
        return {name: weight.tied for name, weight in self.weights.items()}

    def to_json(self) -> dict[str, Any]:
        """For `Package.model`."""
        return {
            "options": dataclasses.asdict(self.options),
            "vocab_size": self.vocab_size,
            "eos": list(self.eos),
            "folder": self.folder,
            "weights": {
                name: {"shape": list(w.shape), "dtype": w.dtype, "tied": list(w.tied)}
                for name, w in self.weights.items()
            },
            "constants": {name: _encode(tensor) for name, tensor in self.constants.items()},
        }

    @classmethod
    def of(cls, package: Package, origin: str = "the package") -> Decoder:
        """Raises PackageError for the package of something else than a decoder's step."""
        found = package.model
        if not found:
            raise PackageError(
                f"{origin} is a graph's, not a model's: run it with etc_mlir.runtime.launch"
            )
        try:
            return cls(
                options=CompileOptions.from_json(found["options"]),
                vocab_size=int(found["vocab_size"]),
                eos=tuple(found["eos"]),
                folder=found["folder"],
                weights={
                    name: Weight(tuple(w["shape"]), w["dtype"], tuple(w["tied"]))
                    for name, w in found["weights"].items()
                },
                constants={name: _decode(value) for name, value in found["constants"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise PackageError(
                f"{origin} does not describe its model ({error!r}): compile it again"
            ) from error


def _encode(tensor: torch.Tensor) -> dict[str, Any]:
    array = tensor.contiguous().numpy()
    return {
        "shape": list(array.shape),
        "dtype": str(array.dtype),
        "data": base64.b64encode(array.tobytes()).decode(),
    }


def _decode(value: Mapping[str, Any]) -> torch.Tensor:
    data = np.frombuffer(base64.b64decode(value["data"]), value["dtype"])
    return torch.from_numpy(data.reshape(value["shape"]).copy())
