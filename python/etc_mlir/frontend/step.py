# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One token-major functional step around a stock Hugging Face `*ForCausalLM`.

`Step.forward(ids, seq, pos, block_table, rows, *caches) -> (tokens, logits, *caches)`. A step
takes T tokens of any mix of sequences, so that one graph serves prefill chunks, decoding and both
at once. The model sees a batch of one with T tokens; who sees whom is said by seq, pos and
block_table alone. Hugging Face's own extension points do the rest (`patched`): no model class is
named here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn
from transformers.cache_utils import Cache, CacheLayerMixin
from transformers.modeling_utils import AttentionInterface

from etc_mlir.frontend import ops, probes
from etc_mlir.frontend.errors import UnsupportedModelError

ATTENTION = "etc_paged"
# What decoder layers pass down to the attention function and that changes nothing in it.
_IGNORED_KWARGS = frozenset({"position_ids", "use_cache", "layer_idx", "is_causal"})


@dataclasses.dataclass
class Batch:
    """The inputs of the step that operators deep in the model need; set by `Step.forward`."""

    max_seq_len: int
    seq: Tensor | None = None
    pos: Tensor | None = None
    block_table: Tensor | None = None
    position_ids: Tensor | None = None

    def where(self) -> tuple[Tensor, Tensor, Tensor]:
        if self.seq is None or self.pos is None or self.block_table is None:
            raise RuntimeError("the model is patched, but runs outside of a Step")
        return self.seq, self.pos, self.block_table


class PagedLayer(CacheLayerMixin):
    """The cache of one layer: `update` appends and gives the paged cache as key and as value."""

    is_compileable = True
    is_sliding = False

    def __init__(self, cache: Tensor, batch: Batch) -> None:
        super().__init__()
        self.cache, self.batch, self.updates = cache, batch, 0
        self.is_initialized = True

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        pass

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """key_states and value_states [1, KVH, T, D] -> the new cache [PAGES, KVH, 2, PT, D]."""
        self.updates += 1
        key, value = key_states.transpose(1, 2), value_states.transpose(1, 2)
        self.cache = ops.kv_append(self.cache, key, value, *self.batch.where())
        return self.cache, self.cache

    def get_seq_length(self, *args: Any) -> int:
        return 0

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.batch.max_seq_len, 0

    def get_max_length(self) -> int:
        return self.batch.max_seq_len


class Step(nn.Module):
    """The step as a module; `model` must be under `patched(model, batch)` while it runs."""

    def __init__(self, model: nn.Module, batch: Batch) -> None:
        super().__init__()
        self.model = model
        self._batch = batch

    def forward(
        self,
        ids: Tensor,
        seq: Tensor,
        pos: Tensor,
        block_table: Tensor,
        rows: Tensor,
        *caches: Tensor,
    ) -> tuple[Tensor, ...]:
        """One step; see `ops` for the letters.

        ids, seq, pos [T] i64; block_table [S, MP] i64; rows [R] i64, the tokens whose logits are
        wanted; caches, one a layer, [PAGES, KVH, 2, PT, D] -> tokens [R] i64, logits [R, V] and
        the new caches. Raises UnsupportedModelError for a layer that does not append just once.
        """
        batch = self._batch
        batch.seq, batch.pos, batch.block_table = seq, pos, block_table
        batch.position_ids = pos[None]
        layers = [PagedLayer(cache, batch) for cache in caches]
        out = self.model(
            input_ids=ids[None],
            position_ids=batch.position_ids,
            past_key_values=Cache(layers=list(layers)),
            use_cache=True,
            logits_to_keep=rows,
        )
        for index, layer in enumerate(layers):
            if layer.updates != 1:
                raise UnsupportedModelError(
                    f"a cache layer that is written {layer.updates} times (layer {index})",
                    supported="one key/value cache per layer",
                    action="Models that share caches between layers cannot be compiled yet.",
                )
        logits = out.logits.squeeze(0)
        return (ops.argmax(logits), logits, *(layer.cache for layer in layers))


@contextlib.contextmanager
def patched(model: Any, batch: Batch) -> Iterator[None]:
    """While it lasts, the model's norms, rotary embedding and attention are our operators.

    Raises UnsupportedModelError for code that computes something else (see `probes`). Whatever was
    changed, on classes, in modules and in the config, is put back on the way out.
    """
    config = model.config
    _check_config(config, batch)
    norms = {type(m): m for m in model.modules() if probes.is_norm(m)}
    rotaries = {type(m): m for m in model.modules() if probes.is_rotary(m)}
    # A module of Python that defines a class of the model and the rotary function that it calls.
    sources = {type(m).__module__ for m in model.modules()}
    files = [sys.modules[s] for s in sorted(sources) if hasattr(sys.modules[s], _APPLY)]
    if not rotaries or not files:
        raise UnsupportedModelError(
            f"{type(model).__name__} without a rotary embedding",
            supported=f"decoders with a rotary module and a function {_APPLY}",
            action="Use a decoder with rotary positions.",
        )
    for module in norms.values():
        probes.check_norm(module)
    for module in rotaries.values():
        probes.check_rotary(module, head_dim(config))
    for file in files:
        probes.check_apply_rotary(getattr(file, _APPLY))

    with contextlib.ExitStack() as stack:
        for cls in norms:
            _replace(stack, cls, "forward", _norm_forward)
        for cls in rotaries:
            _replace(stack, cls, "forward", _rotary_forward(batch))
        for file in files:
            _replace(stack, file, _APPLY, _apply_rotary)
        _replace(stack, config, "_attn_implementation", ATTENTION)
        AttentionInterface.register(ATTENTION, _attention(batch))
        stack.callback(AttentionInterface._global_mapping.pop, ATTENTION, None)
        yield


_APPLY = "apply_rotary_pos_emb"


def head_dim(config: Any) -> int:
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def kv_heads(config: Any) -> int:
    return getattr(config, "num_key_value_heads", None) or config.num_attention_heads


def _check_config(config: Any, batch: Batch) -> None:
    known = {"full_attention", "sliding_attention"}  # the latter says its window to the function
    other = sorted(set(getattr(config, "layer_types", None) or ()) - known)
    if other:
        raise UnsupportedModelError(
            f"layer type {other[0]!r}",
            supported="full_attention in every layer",
            action="Use a decoder whose config.layer_types are all full_attention.",
        )
    limit = getattr(config, "max_position_embeddings", None)
    if limit is not None and batch.max_seq_len > limit:
        raise UnsupportedModelError(
            f"max_seq_len {batch.max_seq_len}",
            supported=f"up to the model's max_position_embeddings, {limit}",
            action="Ask for a shorter max_seq_len.",
        )


def _replace(stack: contextlib.ExitStack, owner: Any, name: str, value: Any) -> None:
    # A property (some configs) is put back through its setter.
    own = name in vars(owner) or isinstance(getattr(type(owner), name, None), property)
    old = getattr(owner, name)
    setattr(owner, name, value)
    # An inherited attribute must be inherited again, not copied down.
    stack.callback(setattr, owner, name, old) if own else stack.callback(delattr, owner, name)


def _norm_forward(self: Any, hidden_states: Tensor) -> Tensor:
    return ops.rms_norm(hidden_states, self.weight, self.variance_epsilon)


def _rotary_forward(batch: Batch) -> Any:
    def forward(self: Any, x: Tensor, position_ids: Tensor, *args: Any, **kwargs: Any) -> Any:
        if position_ids is not batch.position_ids or args or kwargs:
            raise UnsupportedModelError(
                "a rotary embedding of positions other than those given to the model",
                supported="position_ids handed to the rotary module unchanged",
                action="Such a model cannot be compiled yet.",
            )
        _, pos, _ = batch.where()
        return ops.rope_table(self.inv_freq, pos, float(self.attention_scaling), x.dtype)

    return forward


def _apply_rotary(
    q: Tensor, k: Tensor, cos: Tensor, sin: Tensor, unsqueeze_dim: int = 1
) -> tuple[Tensor, Tensor]:
    """q and k [1, heads, T, D], cos and sin [T, D]; the transposes cancel against the model's."""
    if unsqueeze_dim != 1:
        raise UnsupportedModelError(
            f"{_APPLY} with unsqueeze_dim={unsqueeze_dim}",
            supported="heads before tokens, [1, H, T, D]",
            action="Such a model cannot be compiled yet.",
        )
    rotated = (ops.rope(x.transpose(1, 2), cos, sin).transpose(1, 2) for x in (q, k))
    return next(rotated), next(rotated)


def _attention(batch: Batch) -> Any:
    def attention(
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        scaling: float | None = None,
        dropout: float = 0.0,
        sliding_window: int | None = None,
        **kwargs: Any,
    ) -> tuple[Tensor, None]:
        """query [1, H, T, D]; key and value are one paged cache -> [1, T, H, D]."""
        _check_attention(module, attention_mask, dropout, sliding_window, kwargs, batch)
        if key is not value or key.dim() != 5:
            raise UnsupportedModelError(
                "attention over something other than the key/value cache",
                supported="self-attention whose keys and values come from past_key_values.update",
                action="Such a model cannot be compiled yet.",
            )
        scale = query.shape[-1] ** -0.5 if scaling is None else float(scaling)
        return ops.paged_attention(query.transpose(1, 2), key, *batch.where(), scale), None

    return attention


def _check_attention(
    module: nn.Module,
    attention_mask: Tensor | None,
    dropout: float,
    sliding_window: int | None,
    kwargs: dict[str, Any],
    batch: Batch,
) -> None:
    found: dict[str, str] = {}
    if attention_mask is not None:
        found["an attention_mask"] = "Pass none: seq and pos say which tokens are seen."
    if dropout:
        found[f"attention dropout of {dropout}"] = "Call model.eval() first."
    # A window that no sequence can outgrow hides nothing.
    if sliding_window is not None and sliding_window < batch.max_seq_len:
        found[f"a sliding window of {sliding_window} tokens"] = (
            f"Ask for max_seq_len <= {sliding_window} (now {batch.max_seq_len})."
        )
    if not getattr(module, "is_causal", True) or kwargs.get("is_causal") is False:
        found["attention that is not causal"] = "Use a decoder."
    for name, value in kwargs.items():
        if name not in _IGNORED_KWARGS and value is not None and value is not False:
            found[f"the attention option {name}={value!r}"] = "Use a model without it."
    for feature, action in found.items():
        raise UnsupportedModelError(
            feature, supported="plain causal attention over the whole sequence", action=action
        )
