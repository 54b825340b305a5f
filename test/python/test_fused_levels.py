# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models whose operators were fused, executed at every level, against stock Hugging Face models."""

from __future__ import annotations

import re

import pytest
import torch
from import_models import TOLERANCE, greatest_error, imported, model_of
from levels import OneStep, lowered, parsed

from etc_mlir.interpreter import fused
from etc_mlir.interpreter.graph_level import GraphLevel, Order, latest
from etc_mlir.interpreter.tensor_level import TensorLevel
from etc_mlir.interpreter.torch_level import InterpreterError

FUSED = ("pipeline-import", "fuse-operators{workers=24}")
TASKS = ("pipeline-import", "pipeline-decompose{workers=24 fuse=true linear-rows=16}")
NAMES = ["qwen3_wide", "llama_wide"]


@pytest.mark.parametrize("name", NAMES)
def test_tensors(name: str) -> None:
    text = lowered(name, *FUSED)
    for operator in ("task.attention", "task.rope ", "task.kv_append"):
        assert operator not in text
    for part in (r"task\.split_attention", r"\) gated", r"norm\(", r"residual\("):
        assert len(re.findall(part, text)) >= 2
    step = TensorLevel(parsed(text))
    assert greatest_error(model_of(name), imported(name), step=step, steps=3) < TOLERANCE


@pytest.mark.parametrize(
    ("passes", "order"),
    [
        ((), None),
        (("task.graph(infer-events,fuse-events)",), latest),
        (("pipeline-handoffs",), None),
        (("pipeline-handoffs{data=false}", "pipeline-events{steps=true}"), latest),
        (("pipeline-handoffs{data=false}", "pipeline-events{barriers=true}"), latest),
    ],
    ids=["sequential", "events", "handoffs", "counters", "barriers"],
)
@pytest.mark.parametrize("name", NAMES)
def test_tasks(name: str, passes: tuple[str, ...], order: Order | None) -> None:
    graph = GraphLevel(parsed(lowered(name, *TASKS, *passes)), order)
    assert OneStep(name).error(graph) < TOLERANCE


GREEDY = """
func.func @greedy(
    %x: tensor<3x32xbf16> {task.name = "x", task.role = "input", task.shape = affine_map<() -> (3, 32)>},
    %w: tensor<96x32xbf16> {task.name = "w", task.role = "weight", task.shape = affine_map<() -> (96, 32)>})
    -> (tensor<3xi64> {task.name = "next"}) attributes {task.symbols = []} {
  %e = tensor.empty() : tensor<3x96xbf16>
  %n = tensor.empty() : tensor<3xi64>
  %l = task.linear ins(%x, %w : tensor<3x32xbf16>, tensor<96x32xbf16>) outs(%e : tensor<3x96xbf16>)
    -> tensor<3x96xbf16>
  %t = task.argmax ins(%l : tensor<3x96xbf16>) outs(%n : tensor<3xi64>) -> tensor<3xi64>
  return %t : tensor<3xi64>
}
"""  # noqa: E501


@pytest.mark.parametrize(
    ("level", "passes"),
    [(TensorLevel, FUSED[1:]), (GraphLevel, TASKS[1:])],
    ids=["tensor", "graph"],
)
def test_the_best_of_row_tiles(level: type[TensorLevel | GraphLevel], passes: tuple[str]) -> None:
    module = parsed(GREEDY)
    module.run(f"builtin.module({','.join(passes)})")
    assert ") best(" in module.str()
    torch.manual_seed(5)
    x, w = torch.randn(3, 32).bfloat16(), torch.randn(96, 32).bfloat16()
    expected = (x.float() @ w.float().T).bfloat16().argmax(-1)
    assert torch.equal(level(module).run({"x": x, "w": w})["next"], expected)


RESIDUAL = """
#ids = affine_map<() -> (3)>
#square = affine_map<() -> (32, 32)>
func.func @residual(
    %ids: tensor<3xi64> {task.name = "ids", task.role = "input", task.shape = #ids},
    %table: tensor<48x32xbf16> {task.name = "table", task.role = "weight", task.shape = affine_map<() -> (48, 32)>},
    %w: tensor<32x32xbf16> {task.name = "w", task.role = "weight", task.shape = #square},
    %v: tensor<32x32xbf16> {task.name = "v", task.role = "weight", task.shape = #square},
    %g: tensor<32xbf16> {task.name = "g", task.role = "weight", task.shape = affine_map<() -> (32)>})
    -> (tensor<3x32xbf16> {task.name = "z"}) attributes {task.symbols = []} {
  %e = tensor.empty() : tensor<3x32xbf16>
  %x = task.embedding ins(%ids, %table : tensor<3xi64>, tensor<48x32xbf16>) outs(%e : tensor<3x32xbf16>) -> tensor<3x32xbf16>
  %y = task.linear ins(%x, %w : tensor<3x32xbf16>, tensor<32x32xbf16>) norm(%g : tensor<32xbf16>) eps 1.0e-6
    residual(%x : tensor<3x32xbf16>) outs(%e : tensor<3x32xbf16>) -> tensor<3x32xbf16>
  %z = task.linear ins(%y, %v : tensor<3x32xbf16>, tensor<32x32xbf16>) norm(%g : tensor<32xbf16>) eps 1.0e-6
    outs(%e : tensor<3x32xbf16>) -> tensor<3x32xbf16>
  return %z : tensor<3x32xbf16>
}
"""  # noqa: E501


@pytest.mark.parametrize("wide", [False, True], ids=["bf16", "f32"])
@pytest.mark.parametrize(
    ("level", "pipeline"),
    [(TensorLevel, "{}"), (GraphLevel, "{},pipeline-decompose{{workers=24}}")],
    ids=["tensor", "graph"],
)
def test_a_residual_stream(
    level: type[TensorLevel | GraphLevel], pipeline: str, wide: bool
) -> None:
    """What is added up is rounded behind the first sum, or not at all."""
    module = parsed(RESIDUAL)
    module.run(f"builtin.module({pipeline.format('widen-residuals' if wide else 'cse')})")
    assert (") -> tensor<3x32xf32>" in module.str() or "memref<3x32xf32>" in module.str()) == wide
    torch.manual_seed(6)
    table, w, v, g = (torch.randn(s).bfloat16() for s in ((48, 32), (32, 32), (32, 32), (32,)))
    ids = torch.tensor([5, 0, 47])
    x = table[ids]
    y = fused.linear(x.float() if wide else x, w, None, g, x, eps=1e-6, dtype=torch.float32)
    expected = fused.linear(y if wide else y.bfloat16(), v, None, g, eps=1e-6)
    got = level(module).run({"ids": ids, "table": table, "w": w, "v": v, "g": g})["z"]
    assert torch.equal(got, expected)
    assert not torch.equal(got, fused.linear(y.bfloat16() if wide else y, v, None, g, eps=1e-6))


def test_what_is_handed_over_as_data_has_no_events_to_follow() -> None:
    text = lowered("qwen3_wide", *TASKS, "pipeline-handoffs")
    assert "#task.tagged" in text
    with pytest.raises(InterpreterError, match="is handed over as data"):
        GraphLevel(parsed(text), latest)


def test_a_part_of_a_stack_that_is_missing() -> None:
    name = "model.layers.1.mlp.up_proj.weight"
    one = OneStep("qwen3_wide")
    for level, passes in ((TensorLevel, FUSED), (GraphLevel, TASKS)):
        step = level(parsed(lowered("qwen3_wide", *passes)))
        with pytest.raises(InterpreterError, match=f"'{name}', of which '.*' is made"):
            step.run({n: t for n, t in one.given.items() if n != name})


def test_gate_and_up_in_the_other_order_are_noticed() -> None:
    text = lowered("qwen3_wide", *FUSED)
    stacks = r'<\["([^"]*gate_proj[^"]*)", "([^"]*)"\] by 8>'
    changed = re.sub(stacks, r'<["\2", "\1"] by 8>', text)
    assert changed != text
    step = TensorLevel(parsed(changed))
    assert not OneStep("qwen3_wide").error(step) < 10 * TOLERANCE
