# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The imported text against stock Hugging Face generation, and what the import refuses."""

from __future__ import annotations

import dataclasses
import functools
import random
import re
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from etc_mlir.frontend.errors import ImportModelError, UnsupportedModelError, UnsupportedOpError
from etc_mlir.frontend.importer import ImportedModel, import_model
from etc_mlir.frontend.supported import SUPPORTED_OPS
from etc_mlir.interpreter.torch_level import InterpreterError, TorchLevel

TOLERANCE = 2e-5
PAGE_TOKENS, MAX_SEQS, MAX_SEQ_LEN, MAX_TOKENS = 8, 4, 48, 24
SIZES = {
    "vocab_size": 128,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 64,
    "initializer_range": 0.2,  # large, so that attention and norms matter
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}


def qwen3(**overrides: Any) -> Any:
    return transformers.Qwen3Config(**{**SIZES, **overrides})


def llama(**overrides: Any) -> Any:
    return transformers.LlamaConfig(
        **{**SIZES, "rms_norm_eps": 1e-5, "rope_parameters": LLAMA3, **overrides}
    )


CONFIGS = {
    "qwen3": qwen3,
    "qwen3_tied": lambda: qwen3(tie_word_embeddings=True),
    "llama": llama,
    "llama_bias": lambda: llama(attention_bias=True, mlp_bias=True),
}


@functools.cache
def model_of(name: str) -> Any:
    torch.manual_seed(3)
    model = transformers.AutoModelForCausalLM.from_config(CONFIGS[name]()).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "norm" in key or "bias" in key:  # ones and zeros hide a weight that is not applied
                parameter.uniform_(0.5, 1.5)
    return model


def import_small(source: Any, **overrides: Any) -> ImportedModel:
    options = {
        "max_tokens": MAX_TOKENS,
        "max_seqs": MAX_SEQS,
        "page_tokens": PAGE_TOKENS,
        "max_seq_len": MAX_SEQ_LEN,
    }
    return import_model(source, **{**options, **overrides})


@functools.cache
def imported(name: str) -> ImportedModel:
    return import_small(model_of(name))


class Session:
    """Sequences in one paged cache, on pages in no order, advanced by steps of the text."""

    def __init__(self, model: Any, found: ImportedModel, text: str | None = None) -> None:
        self.step = TorchLevel(found.text if text is None else text)
        held = {**model.state_dict(), **found.constants}
        self.fixed = {a.name: held[a.name] for a in found.arguments if a.role == "weight"}
        caches = [a for a in found.arguments if a.role == "state"]
        # Not zero: a read of a slot that was never written shows.
        self.caches = {
            a.name: torch.full([int(d) for d in a.shape], 1e3, dtype=a.dtype) for a in caches
        }
        pages = list(range(int(caches[0].shape[0])))
        random.Random(5).shuffle(pages)
        self.table = torch.tensor(pages).view(MAX_SEQS, -1)
        self.lengths = [0] * MAX_SEQS

    def advance(self, chunks: list[tuple[int, list[int]]]) -> torch.Tensor:
        """Takes (sequence, its next tokens); the logits after each token, in order."""
        seq, pos, ids = [], [], []
        for which, tokens in chunks:
            for token in tokens:
                seq.append(which)
                pos.append(self.lengths[which])
                ids.append(token)
                self.lengths[which] += 1
        outputs, found = [], {}
        # Few rows may be wanted at a time, so the same step is repeated: appending is idempotent.
        for start in range(0, len(ids), MAX_SEQS):
            rows = torch.arange(start, min(start + MAX_SEQS, len(ids)))
            found = self.step.run(
                {
                    **self.fixed,
                    **self.caches,
                    "ids": torch.tensor(ids),
                    "seq": torch.tensor(seq),
                    "pos": torch.tensor(pos),
                    "block_table": self.table,
                    "rows": rows,
                }
            )
            assert torch.equal(found["tokens"], found["logits"].argmax(-1))
            outputs.append(found["logits"])
        self.caches = {name: found[name] for name in self.caches}
        return torch.cat(outputs)


def reference(model: Any, tokens: list[int]) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.tensor([tokens]), use_cache=False).logits[0]


def ragged() -> list[list[int]]:
    generator = random.Random(11)
    return [[generator.randrange(128) for _ in range(n)] for n in (23, 1, 17, 9)]


def greatest_error(model: Any, found: ImportedModel, text: str | None = None) -> float:
    """Four ragged sequences: chunks of prefill, then mixed steps, then one token each."""
    session, tokens = Session(model, found, text), ragged()
    got: list[list[torch.Tensor]] = [[] for _ in tokens]
    plan = [
        [(0, 10)],
        [(2, 7), (0, 3)],
        [(1, 1)],
        [(3, 8), (2, 8), (0, 8)],
        [(0, 1), (2, 1), (3, 1)],
        [(0, 1), (2, 1)],
    ]
    for step in plan:
        at = [session.lengths[s] for s, _ in step]
        chunks = [(s, tokens[s][b : b + n]) for (s, n), b in zip(step, at, strict=True)]
        logits = session.advance(chunks)
        for (which, piece), part in zip(chunks, logits.split([n for _, n in step]), strict=True):
            assert len(piece) == len(part)
            got[which].append(part)
    errors = [
        (torch.cat(parts) - reference(model, sequence)).abs().max().item()
        for parts, sequence in zip(got, tokens, strict=True)
    ]
    return max(errors)


@pytest.mark.parametrize("name", list(CONFIGS))
def test_step_equals_stock_model(name: str) -> None:
    model = model_of(name)
    assert model.config._attn_implementation == "sdpa"
    assert greatest_error(model, imported(name)) < TOLERANCE


def test_decode_follows_stock_generate() -> None:
    model, prompt = model_of("llama"), ragged()[2]
    expected = model.generate(
        torch.tensor([prompt]), max_new_tokens=8, do_sample=False, pad_token_id=0, eos_token_id=None
    )[0, len(prompt) :].tolist()
    session = Session(model, imported("llama"))
    got: list[int] = []
    chunk = prompt
    while len(got) < 8:
        got.append(int(session.advance([(1, chunk)])[-1].argmax()))
        chunk = got[-1:]
    assert got == expected


def test_bfloat16_keeps_rounding_points() -> None:
    config = qwen3(dtype="bfloat16")
    torch.manual_seed(4)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).eval()
    found = import_small(model)
    tokens = ragged()[2]
    got = Session(model, found).advance([(0, tokens)])
    wide = reference(model.to(torch.float32), tokens)
    assert got.dtype == torch.bfloat16
    assert ((got.float() - wide).norm() / wide.norm()).item() < 0.03


# One defect of the text each: pattern and replacement.
DEFECTS = {
    "wrong eps": (r"value = 9\.9999999999999995E-7", "value = 0.5"),
    "wrong scale": (r"value = 2\.500000e-01", "value = 1.000000e+00"),
    "wrong attention scaling of rope": (
        r"value = 1\.000000e\+00 : f64(.*\n.*\n.*torch\.etc\.rope_table)",
        r"value = 1.250000e+00 : f64\1",
    ),
    "swapped k and v": (
        r"\((%arg\d+), (%\d+), (%\d+), (.*)torch\.etc\.kv_append",
        r"(\1, \3, \2, \4torch.etc.kv_append",
    ),
    "swapped cos and sin": (
        r"(%\d+)#0, (%\d+)#1\) <\{name = \"torch\.etc\.rope\"",
        r'\1#1, \2#0) <{name = "torch.etc.rope"',
    ),
    "swapped seq and pos": (
        r"(%arg\d+), (%arg\d+), (%arg\d+), (%\d+)\) <\{name = \"torch\.etc\.paged_attention\"",
        r'\2, \1, \3, \4) <{name = "torch.etc.paged_attention"',
    ),
    "another activation": (r"torch\.aten\.silu", "torch.aten.sigmoid"),
    "doubled residual": (
        r'value = 1 : i64\}> : \(\) -> !torch\.int loc\((#loc\d+)\)\n(.*"torch\.aten\.add)',
        r"value = 2 : i64}> : () -> !torch.int loc(\1)\n\2",
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_defect_in_the_text_is_seen(defect: str) -> None:
    found = imported("qwen3")
    pattern, replacement = DEFECTS[defect]
    text, count = re.subn(pattern, replacement, found.text)
    assert count > 0, "the defect does not apply: the form of the text has changed"
    try:
        error = greatest_error(model_of("qwen3"), found, text)
    except InterpreterError:  # an index out of range, which is seen too
        return
    assert error > 100 * TOLERANCE


@pytest.mark.parametrize("op", ["torch.etc.rms_norm", "torch.etc.paged_attention"])
def test_dropped_scalar_is_an_error(op: str) -> None:
    found = imported("qwen3")
    # The last operand and its type are dropped, as an importer that forgets scalars would.
    pattern = rf', %\d+\) <\{{name = "{op}"\}}> : \((.*), !torch\.float\)'
    text, count = re.subn(pattern, rf') <{{name = "{op}"}}> : (\1)', found.text)
    assert count > 0
    with pytest.raises(InterpreterError, match="operands, its schema"):
        greatest_error(model_of("qwen3"), found, text)


def operators(text: str) -> set[str]:
    named = set(re.findall(r'"torch\.operator".*<\{name = "torch\.([\w.]+)"', text))
    plain = set(re.findall(r'"torch\.(aten\.[\w.]+)"', text))
    return named | plain


def test_operators_are_the_supported_ones() -> None:
    used = set().union(*(operators(imported(name).text) for name in CONFIGS))
    assert used == SUPPORTED_OPS
    page = Path(__file__).parents[2] / "docs" / "import.md"
    rows = set(re.findall(r"^\| `((?:aten|etc)\.[\w.]+)` \|", page.read_text(), re.MULTILINE))
    assert rows == SUPPORTED_OPS


def test_every_port_has_name_and_role() -> None:
    found = imported("qwen3")
    step = TorchLevel(found.text)
    assert [(p.name, p.role) for p in step.arguments] == [(a.name, a.role) for a in found.arguments]
    assert [(p.name, p.role) for p in step.results] == [(r.name, r.role) for r in found.results]
    assert [p.name for p in step.results] == ["tokens", "logits", "cache.0", "cache.1"]
    by_role = {role: [p for p in step.arguments if p.role == role] for role in ("input", "weight")}
    assert [p.name for p in by_role["input"]] == ["ids", "seq", "pos", "block_table", "rows"]
    assert {p.name for p in by_role["weight"]} == {
        *model_of("qwen3").state_dict(),
        "model.rotary_emb.inv_freq",
    }
    assert step.symbols == {"T": (1, MAX_TOKENS), "R": (1, MAX_SEQS)} == found.ranges
    assert next(p.dims for p in step.arguments if p.name == "ids") == ("T",)
    assert next(p.dims for p in step.results if p.name == "logits") == ("R", "128")


def test_weights_are_those_of_a_checkpoint() -> None:
    found = imported("qwen3")
    held = model_of("qwen3").state_dict()
    assert found.weights() == {n: (tuple(t.shape), t.dtype) for n, t in held.items()}
    assert set(found.constants) == {"model.rotary_emb.inv_freq"}
    assert "etc.constant" in found.text


def test_tied_head_is_one_argument() -> None:
    found = imported("qwen3_tied")
    assert "lm_head.weight" not in found.weights()
    tied = [a for a in found.arguments if a.tied]
    assert [(a.name, a.tied) for a in tied] == [("model.embed_tokens.weight", ("lm_head.weight",))]
    assert 'etc.tied = ["lm_head.weight"]' in found.text


def test_locations_name_module_and_line() -> None:
    text = imported("qwen3").text
    assert re.search(r'loc\("model\.layers\.1\.self_attn\.q_proj"\(#loc\d+\)\)', text), (
        "no module path in loc"
    )
    assert re.search(r'loc\("transformers/models/qwen3/modeling_qwen3\.py":\d+:0\)', text)
    assert not re.search(r'loc\("/', text), "a location holds an absolute path"


def test_config_alone_gives_the_same_text() -> None:
    model = model_of("llama")
    found = import_small(model.config, dtype=torch.float32)
    assert found.text == imported("llama").text
    for name, value in imported("llama").constants.items():
        assert torch.equal(found.constants[name], value)


def test_step_of_one_token_is_static() -> None:
    found = import_small(model_of("qwen3"), max_tokens=1)
    assert found.ranges == {} and "?" not in found.text
    session, tokens = Session(model_of("qwen3"), found), ragged()[3]
    # Session asks for as many rows as it may; here the step has one.
    got = torch.cat([session.advance([(2, [token])]) for token in tokens])
    assert (got - reference(model_of("qwen3"), tokens)).abs().max() < TOLERANCE


def test_size_out_of_range_is_an_error() -> None:
    session = Session(model_of("qwen3"), imported("qwen3"))
    with pytest.raises(InterpreterError, match=r"T = 25; it must be in \[1, 24\]"):
        session.advance([(0, [1] * (MAX_TOKENS + 1))])


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


def test_real_size_imports_without_weights() -> None:
    config = transformers.Qwen3Config(
        vocab_size=151936,
        hidden_size=4096,
        intermediate_size=12288,
        num_hidden_layers=36,
        num_attention_heads=32,
        num_key_value_heads=8,
        head_dim=128,
        max_position_embeddings=40960,
        dtype="bfloat16",
    )
    started = time.monotonic()
    found = import_model(config, max_tokens=64, max_seqs=16, page_tokens=64, max_seq_len=4096)
    assert time.monotonic() - started < 60
    assert sum(torch.Size(shape).numel() for shape, _ in found.weights().values()) > 8e9
    assert len(found.text) < 2_000_000
    assert dataclasses.is_dataclass(found) and len(found.results) == 2 + 36
