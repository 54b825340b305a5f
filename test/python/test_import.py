# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The imported text against stock Hugging Face generation, at sizes that were not traced."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import torch
import transformers
from import_models import (
    CONFIGS,
    MAX_SEQS,
    MAX_TOKENS,
    TOLERANCE,
    Session,
    greatest_error,
    import_small,
    imported,
    model_of,
    operators,
    qwen3,
    ragged,
    reference,
)

from etc_mlir.frontend.importer import import_model
from etc_mlir.frontend.supported import SUPPORTED_OPS
from etc_mlir.interpreter.torch_level import InterpreterError, TorchLevel


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
    assert len(found.results) == 2 + 36
