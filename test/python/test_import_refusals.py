# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the import refuses, what it says then, and that it leaves the model as it was."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
import transformers
from import_models import MAX_SEQ_LEN, SIZES, import_small, llama, model_of, operators, qwen3

from etc_mlir.frontend.errors import ImportModelError, UnsupportedModelError, UnsupportedOpError
from etc_mlir.frontend.supported import SUPPORTED_OPS


def test_patches_are_undone() -> None:
    from transformers.modeling_utils import AttentionInterface
    from transformers.models.qwen3 import modeling_qwen3 as source

    def state() -> list[Any]:
        classes = (source.Qwen3RMSNorm, source.Qwen3RotaryEmbedding)
        mapping = dict(AttentionInterface._global_mapping)
        model = model_of("qwen3")
        implementation = model.config._attn_implementation
        return [
            *(c.forward for c in classes),
            source.apply_rotary_pos_emb,
            mapping,
            implementation,
        ]

    before = state()
    import_small(model_of("qwen3"))
    assert state() == before
    with pytest.raises(UnsupportedModelError):
        import_small(qwen3(use_sliding_window=True, sliding_window=8, max_window_layers=0))
    assert state() == before


SLIDING = {"use_sliding_window": True, "max_window_layers": 0}
REFUSED = {
    "a sliding window of 8 tokens": lambda: qwen3(**SLIDING, sliding_window=8),
    "rope type 'dynamic'": lambda: llama(
        rope_parameters={"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0}
    ),
    "max_seq_len 48": lambda: qwen3(max_position_embeddings=32),
    "layer type 'chunked_attention'": lambda: qwen3(layer_types=["chunked_attention"] * 2),
    "rotary embedding of": lambda: transformers.StableLmConfig(
        **{**SIZES, "partial_rotary_factor": 0.25}
    ),
    "softcap=50.0": lambda: transformers.Gemma2Config(**{**SIZES, "sliding_window": 64}),
}


@pytest.mark.parametrize("feature", REFUSED)
def test_unsupported_feature_is_named(feature: str) -> None:
    with pytest.raises(UnsupportedModelError, match=re.escape(feature)) as caught:
        import_small(REFUSED[feature](), dtype=torch.float32)
    assert "supported: " in str(caught.value)


def test_window_that_hides_nothing_is_accepted() -> None:
    found = import_small(qwen3(**SLIDING, sliding_window=MAX_SEQ_LEN), dtype=torch.float32)
    assert operators(found.text) <= SUPPORTED_OPS


def test_norm_that_differs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.qwen3 import modeling_qwen3 as source

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        h = x.float()
        h = h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)
        return (self.weight * h).to(x.dtype)  # rounds after the weight, as some models do

    monkeypatch.setattr(source.Qwen3RMSNorm, "forward", forward)
    with pytest.raises(UnsupportedModelError, match="the norm Qwen3RMSNorm"):
        import_small(qwen3(), dtype=torch.float32)


def test_rotary_that_differs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.qwen3 import modeling_qwen3 as source

    stock = source.apply_rotary_pos_emb
    monkeypatch.setattr(
        source, "apply_rotary_pos_emb", lambda q, k, c, s, *a: stock(q, k, c, -s, *a)
    )
    with pytest.raises(UnsupportedModelError, match="the rotary embedding of"):
        import_small(qwen3(), dtype=torch.float32)


def test_unknown_operator_names_line_and_module() -> None:
    with pytest.raises(UnsupportedOpError) as caught:
        import_small(llama(hidden_act="gelu"), dtype=torch.float32)
    assert caught.value.op == "aten.gelu"
    assert re.search(r"transformers/activations\.py:\d+", caught.value.source)
    assert caught.value.scope == "model.layers.0.mlp.act_fn"


def test_scalar_operand_is_an_operator_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.qwen3 import modeling_qwen3 as source

    monkeypatch.setattr(
        source.Qwen3MLP, "forward", lambda self, x: self.down_proj(self.up_proj(x * 2.0))
    )
    with pytest.raises(UnsupportedOpError, match=r"aten\.mul\.Scalar.*model\.layers\.0\.mlp"):
        import_small(qwen3(), dtype=torch.float32)


def test_branch_on_data_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.qwen3 import modeling_qwen3 as source

    monkeypatch.setattr(source.Qwen3MLP, "forward", lambda self, x: x if x.sum() > 0 else -x)
    with pytest.raises(ImportModelError, match="cannot trace Qwen3ForCausalLM"):
        import_small(qwen3(), dtype=torch.float32)


def test_branch_on_length_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.qwen3 import modeling_qwen3 as source

    monkeypatch.setattr(source.Qwen3MLP, "forward", lambda self, x: x if x.shape[1] > 4 else x + x)
    with pytest.raises(ImportModelError, match="T"):
        import_small(qwen3(), dtype=torch.float32)


def test_training_mode_is_refused() -> None:
    model = transformers.AutoModelForCausalLM.from_config(qwen3())
    with pytest.raises(UnsupportedModelError, match="training mode"):
        import_small(model.train())


@pytest.mark.parametrize("option", ["max_tokens", "page_tokens", "max_seqs"])
def test_option_out_of_range_is_an_error(option: str) -> None:
    with pytest.raises(ValueError, match=option):
        import_small(qwen3(), **{option: 0})
