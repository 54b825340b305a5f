# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tensor level, executed, against stock Hugging Face models at sizes that were not traced."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from import_models import (
    CONFIGS,
    TOLERANCE,
    greatest_error,
    import_small,
    imported,
    model_of,
    qwen3,
)
from levels import TENSOR, lowered, parsed

from etc_mlir.errors import CompileError
from etc_mlir.frontend.importer import import_model
from etc_mlir.frontend.supported import SHAPE_OPS, SUPPORTED_OPS
from etc_mlir.interpreter.tensor_level import TensorLevel
from etc_mlir.interpreter.torch_level import InterpreterError, TorchLevel


def error_of(name: str, text: str, steps: int | None = None) -> float:
    step = TensorLevel(parsed(text))
    return greatest_error(model_of(name), imported(name), step=step, steps=steps)


@pytest.mark.parametrize("name", list(CONFIGS))
def test_tensor_level_equals_stock_model(name: str) -> None:
    assert error_of(name, lowered(name, *TENSOR)) < TOLERANCE


def test_bfloat16_rounds_where_the_import_does() -> None:
    """Activations of 8 bits: what is rounded once more, or once less, is off by one of them."""
    found = import_small(qwen3(), dtype=torch.bfloat16)
    torch.manual_seed(5)
    given = {
        a.name: (torch.randn([int(d) for d in a.shape]) * 0.5).to(a.dtype)
        for a in found.arguments
        if a.role in ("weight", "state")
    }
    given |= found.constants
    given |= {name: torch.tensor([0, 1, 2]) for name in ("ids", "pos", "rows")}
    given |= {"seq": torch.zeros(3, dtype=torch.int64), "block_table": torch.arange(24).view(4, 6)}
    module = parsed(found.text)
    module.run("builtin.module(pipeline-import)")
    got, expected = TensorLevel(module).run(given), TorchLevel(found.text).run(given)
    for name, value in expected.items():
        assert got[name].dtype == value.dtype
        same = (got[name] == value).double().mean()
        # Sums of the matrix products may be in another order.
        assert same > 0.95 and torch.allclose(got[name].float(), value.float(), rtol=2**-7), name


# What to replace, all of it, and by what; the model that has it.
DAMAGE = {
    "cos and sin swapped": (
        "qwen3",
        r"(task\.rope ins\(%\w+), (%\w+)#0, %\w+#1",
        r"\1, \2#1, \2#0",
    ),
    "another eps": ("qwen3", r"eps [\d.Ee+-]+", "eps 1.0e-02"),
    "another scale": ("qwen3", r"scale [\d.Ee+-]+", "scale 5.0e-01"),
    "a bias dropped": ("llama_bias", r"bias\(%\w+ : [^)]*\)", ""),
    "attention of the cache before": (
        "qwen3",
        r"(= task\.attention ins\(%\w+), (%\d+),",
        lambda match: f"{match[1]}, %arg31,",
    ),
    "the product dropped": ("qwen3", r"arith\.mulf (%\w+), %\w+", r"arith.mulf \1, \1"),
}


@pytest.mark.parametrize("damage", list(DAMAGE))
def test_damage_is_noticed(damage: str) -> None:
    name, pattern, replacement = DAMAGE[damage]
    text, count = re.subn(pattern, replacement, lowered(name, *TENSOR))
    assert count > 0
    assert not error_of(name, text, steps=2) < 10 * TOLERANCE


def test_dropped_operand_of_the_import_is_refused() -> None:
    text, count = re.subn(
        r'("torch\.operator"\(%\d+, %arg\d+), %\d+\)( <\{name = "torch\.etc\.rms_norm"\}> : \()'
        r"([^)]*), !torch\.float\)",
        r"\1)\2\3)",
        imported("qwen3").text,
    )
    assert count > 0
    with pytest.raises(CompileError, match=r"takes 3 operands \(x, weight, eps\), got 2"):
        parsed(text).run("builtin.module(convert-torch-to-task)")


def test_location_of_the_model_is_in_the_error() -> None:
    text = imported("qwen3").text.replace("torch.aten.silu", "torch.aten.gelu")
    with pytest.raises(CompileError, match=r"activations\.py.*'aten\.gelu' is not supported"):
        parsed(text).run("builtin.module(convert-torch-to-task)")


@pytest.mark.parametrize("name", sorted(SUPPORTED_OPS - SHAPE_OPS))
def test_every_operator_of_the_import_is_known(name: str) -> None:
    op = (
        f'"torch.operator"() <{{name = "torch.{name}"}}>'
        if name[:4] == "etc."
        else f'"torch.{name}"()'
    )
    text = f"func.func @f() attributes {{etc.symbols = {{}}}} {{ {op} : () -> () return }}"
    with pytest.raises(CompileError, match=rf"'{re.escape(name)}' takes \d operands"):
        parsed(text).run("builtin.module(convert-torch-to-task)")


@pytest.mark.parametrize("options", [{"max_tokens": 1}, {"max_seqs": 1}])
def test_a_symbol_of_one_value_is_a_number(options: dict[str, int]) -> None:
    """One token, or one row: [1, 1, N] and [1, MP] are told apart."""
    found = import_small(model_of("qwen3"), **options)
    module = parsed(found.text)
    module.run("builtin.module(pipeline-import)")
    step = TensorLevel(module)
    held = {**model_of("qwen3").state_dict(), **found.constants}
    given = {a.name: held[a.name] for a in found.arguments if a.role == "weight"}
    for a in found.arguments:
        if a.role == "state":
            given[a.name] = torch.full([int(d) for d in a.shape], 1e3)
    table = next(a for a in found.arguments if a.name == "block_table")
    given["block_table"] = torch.arange(int(table.shape[0]) * int(table.shape[1])).view(
        [int(d) for d in table.shape]
    )
    tokens = [7, 3, 11]
    logits = []
    for pos, token in enumerate(tokens):
        one = {"ids": token, "seq": 0, "pos": pos, "rows": 0}
        out = step.run({**given, **{k: torch.tensor([v]) for k, v in one.items()}})
        given.update({name: out[name] for name in out if name.startswith("cache.")})
        logits.append(out["logits"])
    with torch.no_grad():
        expected = model_of("qwen3")(torch.tensor([tokens])).logits[0]
    assert (torch.cat(logits) - expected).abs().max() < TOLERANCE


def test_interpreter_names_what_is_missing() -> None:
    with pytest.raises(InterpreterError, match=r"argument 'model\.embed_tokens\.weight' is not"):
        TensorLevel(parsed(lowered("qwen3", *TENSOR))).run({})


LLAMA_1B: dict[str, Any] = {
    "vocab_size": 128256,
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "tie_word_embeddings": True,
    "max_position_embeddings": 131072,
}
QWEN3_8B: dict[str, Any] = {
    "vocab_size": 151936,
    "hidden_size": 4096,
    "intermediate_size": 12288,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 40960,
}
REAL = {
    "llama-3.2-1b": lambda: transformers.LlamaConfig(**LLAMA_1B),
    "qwen3-8b": lambda: transformers.Qwen3Config(**QWEN3_8B),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(REAL))
def test_models_of_real_size_are_converted(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    """From a config alone, without weights. The time is recorded, and bounded generously."""
    config = REAL[name]()
    text = import_model(config, dtype=torch.bfloat16).text
    module = parsed(text)
    start = time.perf_counter()
    module.run("builtin.module(convert-torch-to-task)")
    seconds = time.perf_counter() - start
    record_property("convert_torch_to_task_s", round(seconds, 3))
    print(f"{name}: convert-torch-to-task takes {seconds:.2f} s")
    operators = [op.name for op in module.body.operations[0].regions[0].blocks[0].operations]
    assert operators.count("task.attention") == config.num_hidden_layers
    assert seconds < 60
