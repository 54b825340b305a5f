# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Does a model's own code compute what our operator computes? Found by running both on small data.

A class is never recognised by its name: `forward` of the class runs on a stand-in that has only the
attributes which the operator knows, in float32 and bfloat16, and must agree bit for bit. Code that
reads anything else (a clamp, an offset, a second weight) fails on the missing attribute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from etc_mlir.frontend import ops
from etc_mlir.frontend.errors import UnsupportedModelError

# Frequencies that are fixed once the module is built, so that `inv_freq` says everything.
STATIC_ROPE_TYPES = ("default", "linear", "llama3", "yarn")
# What code raises that needs more than it is given.
_FAILURES = (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)
_DTYPES = (torch.float32, torch.bfloat16)


class _StandIn(nn.Module):
    """Holds the attributes given, and no others."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__()
        for name, value in attributes.items():
            setattr(self, name, value)


def is_norm(module: nn.Module) -> bool:
    """Whether the module looks like a root-mean-square norm, so that it must be one."""
    return hasattr(module, "variance_epsilon") and hasattr(module, "weight")


def is_rotary(module: nn.Module) -> bool:
    return hasattr(module, "inv_freq") and hasattr(module, "attention_scaling")


def check_norm(module: nn.Module) -> None:
    """Raises UnsupportedModelError unless the class computes `etc::rms_norm`."""
    cls, eps = type(module), 0.37  # large: an eps used elsewhere or not at all changes every result
    for dtype in _DTYPES:
        x, weight = _random(3, 16, dtype=dtype), _random(16, dtype=dtype)
        expected = ops.rms_norm(x, weight, eps)
        actual = _run(cls, _StandIn(weight=weight, variance_epsilon=eps), x)
        if not _same(actual, expected):
            raise UnsupportedModelError(
                f"the norm {cls.__qualname__}",
                supported="weight * (x / rms(x)) in float32, rounded before the weight",
                action="Its forward gives other numbers; it needs an operator of its own.",
            )


def check_rotary(module: Any, head_dim: int) -> None:
    """Raises UnsupportedModelError unless the module computes `etc::rope_table` of its buffer."""
    kind = getattr(module, "rope_type", None)
    if kind not in STATIC_ROPE_TYPES:
        raise UnsupportedModelError(
            f"rope type {kind!r}",
            supported=", ".join(STATIC_ROPE_TYPES) + ", whose frequencies never change",
            action="Set rope_parameters in the model's config.json to one of them.",
        )
    inv_freq = module.inv_freq
    if inv_freq.dtype != torch.float32:
        raise UnsupportedModelError(
            f"inv_freq of dtype {inv_freq.dtype}",
            supported="float32",
            action="Give dtype= to from_pretrained; model.to(dtype) rounds the frequencies too.",
        )
    if 2 * inv_freq.numel() != head_dim:
        raise UnsupportedModelError(
            f"rotary embedding of {2 * inv_freq.numel()} of {head_dim} head columns",
            supported="the whole head (partial_rotary_factor 1.0)",
            action="Such a model cannot be compiled yet.",
        )
    cls = type(module)
    freq, pos = torch.tensor([1.0, 0.3, 0.01, 0.002]), torch.arange(5) * 37
    for dtype in _DTYPES:
        expected = ops.rope_table(freq, pos, 1.25, dtype)
        stand_in = _StandIn(inv_freq=freq, attention_scaling=1.25, rope_type="default")
        actual = _run(cls, stand_in, torch.zeros(1, 5, 8, dtype=dtype), pos[None])
        if not (isinstance(actual, tuple) and len(actual) == 2 and actual[0].dim() == 3) or not all(
            _same(a[0], e) for a, e in zip(actual, expected, strict=True)
        ):
            raise UnsupportedModelError(
                f"the rotary module {cls.__qualname__}",
                supported="cos and sin of pos * inv_freq, both halves of the head alike",
                action="Its forward gives other numbers; it needs an operator of its own.",
            )


def check_apply_rotary(function: Callable[..., Any]) -> None:
    """Raises UnsupportedModelError unless the function is rotate-half on [1, H, T, D]."""
    for dtype in _DTYPES:
        q, k = _random(1, 4, 5, 8, dtype=dtype), _random(1, 2, 5, 8, dtype=dtype)
        cos, sin = _random(5, 8, dtype=dtype), _random(5, 8, dtype=dtype)
        expected = [ops.rope(x.transpose(1, 2), cos, sin).transpose(1, 2) for x in (q, k)]
        try:
            actual = function(q, k, cos[None], sin[None])
        except _FAILURES:
            actual = None
        if not (isinstance(actual, tuple) and len(actual) == 2) or not all(
            _same(a, e) for a, e in zip(actual, expected, strict=True)
        ):
            raise UnsupportedModelError(
                f"the rotary embedding of {function.__module__}",
                supported="x * cos + rotate_half(x) * sin over the whole head",
                action="Interleaved pairs or a partial head need an operator of their own.",
            )


def _run(cls: type[nn.Module], stand_in: nn.Module, *args: Tensor) -> Any:
    """`cls.forward` on the stand-in, or None where it needs more than the stand-in has."""
    try:
        with torch.no_grad():
            return cls.forward(stand_in, *args)
    except _FAILURES:
        return None


def _same(actual: Any, expected: Tensor) -> bool:
    return (
        isinstance(actual, Tensor)
        and actual.dtype == expected.dtype
        and actual.shape == expected.shape
        and torch.equal(actual, expected)
    )


def _random(*shape: int, dtype: torch.dtype) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=generator).to(dtype)
