# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Steps on tensors, cut into tasks in several ways and run on threads, against PyTorch.

Outputs and scratch hold NaN beforehand, so a region that is too small is seen.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from etc_mlir import _etc
from etc_mlir.runtime_cpu import CpuProgram

NAMES = {torch.float32: "f32", torch.bfloat16: "bf16", torch.int64: "i64"}
MOST = 5
WORKERS = 3


def argument(name: str, role: str, shape: str, element: str) -> str:
    """A parameter or result of @step; shape "Tx8" has the symbol T."""
    extents = shape.split("x")
    dims = "".join("?x" if e == "T" else f"{e}x" for e in extents)
    kind = f', task.role = "{role}"' if role else ""
    map_ = f"affine_map<()[T] -> ({', '.join(extents)})>"
    shape_attribute = f", task.shape = {map_}" if role else ""
    return f'tensor<{dims}{element}> {{task.name = "{name}"{kind}{shape_attribute}}}'


def build(text: str, tile: str) -> CpuProgram:
    module = _etc.Module.parse(_etc.Context(), text, "step.mlir")
    module.run(f"pipeline-decompose{{workers={WORKERS}{f' tile={tile}' if tile else ''}}}")
    module.run("pipeline-events")
    buckets = f" buckets={MOST}" if "task.symbol<" in text else ""
    module.run(f"pipeline-schedule{{workers={WORKERS}{buckets}}}")
    module.run("pipeline-persistent")
    program = CpuProgram(module)
    program._scratch.view(np.uint8)[:] = 0xFF  # NaN in every float type
    return program


MLP = """
#id = affine_map<(t, n) -> (t, n)>
func.func @step(%x: {x}, %g: {g}, %up: {up}, %down: {down}) -> ({y})
    attributes {{task.symbols = [#task.symbol<"T", 1 to 5>]}} {{
  %c0 = arith.constant 0 : index
  %T = tensor.dim %x, %c0 : tensor<?x24x{e}>
  %e0 = tensor.empty(%T) : tensor<?x24x{e}>
  %e1 = tensor.empty(%T) : tensor<?x40x{e}>
  %n = task.rms_norm ins(%x, %g : tensor<?x24x{e}>, tensor<24x{e}>) outs(%e0 : tensor<?x24x{e}>)
    eps 1.0e-5 -> tensor<?x24x{e}>
  %u = task.linear ins(%n, %up : tensor<?x24x{e}>, tensor<40x24x{e}>) outs(%e1 : tensor<?x40x{e}>)
    -> tensor<?x40x{e}>
  %s = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}}
    ins(%u : tensor<?x40x{e}>) outs(%e1 : tensor<?x40x{e}>) {{
  ^bb0(%a: {e}, %o: {e}):
    %r = arith.mulf %a, %a : {e}
    linalg.yield %r : {e}
  }} -> tensor<?x40x{e}>
  %d = task.linear ins(%s, %down : tensor<?x40x{e}>, tensor<24x40x{e}>) outs(%e0 : tensor<?x24x{e}>)
    -> tensor<?x24x{e}>
  %y = linalg.generic {{indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}}
    ins(%x, %d : tensor<?x24x{e}>, tensor<?x24x{e}>) outs(%e0 : tensor<?x24x{e}>) {{
  ^bb0(%a: {e}, %b: {e}, %o: {e}):
    %r = arith.addf %a, %b : {e}
    linalg.yield %r : {e}
  }} -> tensor<?x24x{e}>
  return %y : tensor<?x24x{e}>
}}
"""


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    # Chosen; tails of 8 and 4; a token a task; tokens in twos; one task.
    "tile",
    ["", "linear:16,generic:7", "generic:1x0,linear:1x16", "generic:2x12,rms_norm:2", "linear:0"],
)
def test_mlp(tile: str, dtype: torch.dtype) -> None:
    e = NAMES[dtype]
    text = MLP.format(
        e=e,
        x=argument("x", "input", "Tx24", e),
        g=argument("g", "weight", "24", e),
        up=argument("up", "weight", "40x24", e),
        down=argument("down", "weight", "24x40", e),
        y=argument("y", "", "Tx24", e),
    )
    program = build(text, tile)
    rng = torch.Generator().manual_seed(1)
    g, up, down = (
        (torch.randn(shape, generator=rng) / 4).to(dtype) for shape in [(24,), (40, 24), (24, 40)]
    )
    program.bind(g=g, up=up, down=down)
    for tokens in [3, 1, 5, 2, 4]:
        x = torch.randn(tokens, 24, generator=rng).to(dtype)
        whole = torch.full((MOST, 24), float("nan"), dtype=dtype)
        program.bind(x=x, y=whole)
        program.step({"T": tokens})
        inverse = torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + 1e-5)
        normal = g * (x.float() * inverse).to(dtype)
        hidden = torch.nn.functional.linear(normal, up)
        expected = x + torch.nn.functional.linear(hidden * hidden, down)
        bound = 1e-5 if dtype == torch.float32 else 3e-2
        torch.testing.assert_close(whole[:tokens], expected, rtol=bound, atol=bound)
        assert whole[tokens:].isnan().all()


ATTENTION = """
func.func @step(%q: {q}, %k: {k}, %v: {v}, %seq: {seq}, %pos: {pos}, %table: {table},
                %cache: {cache}) -> ({y}, {new})
    attributes {{task.symbols = [#task.symbol<"T", 1 to 5>]}} {{
  %c0 = arith.constant 0 : index
  %T = tensor.dim %q, %c0 : tensor<?x48xf32>
  %qh = tensor.expand_shape %q [[0], [1, 2]] output_shape [%T, 6, 8]
    : tensor<?x48xf32> into tensor<?x6x8xf32>
  %c = task.kv_append ins(%k, %v, %seq, %pos, %table : tensor<?x2x8xf32>, tensor<?x2x8xf32>,
      tensor<?xi64>, tensor<?xi64>, tensor<2x4xi64>) outs(%cache : tensor<8x2x2x4x8xf32>)
    -> tensor<8x2x2x4x8xf32>
  %e = tensor.empty(%T) : tensor<?x6x8xf32>
  %a = task.attention ins(%qh, %c, %seq, %pos, %table : tensor<?x6x8xf32>, tensor<8x2x2x4x8xf32>,
      tensor<?xi64>, tensor<?xi64>, tensor<2x4xi64>) outs(%e : tensor<?x6x8xf32>)
    scale 0.5 -> tensor<?x6x8xf32>
  %y = tensor.collapse_shape %a [[0], [1, 2]] : tensor<?x6x8xf32> into tensor<?x48xf32>
  return %y, %c : tensor<?x48xf32>, tensor<8x2x2x4x8xf32>
}}
"""


@pytest.mark.parametrize("tile", ["", "attention:1x1,kv_append:1x1", "attention:0,kv_append:2x0"])
def test_cache_and_attention(tile: str) -> None:
    """Two sequences grow in turns; the returned view is the operator's own buffer."""
    new = argument("new", "", "8x2x2x4x8", "f32")[:-1] + ', task.state = "cache"}'
    text = ATTENTION.format(
        q=argument("q", "input", "Tx48", "f32"),
        k=argument("k", "input", "Tx2x8", "f32"),
        v=argument("v", "input", "Tx2x8", "f32"),
        seq=argument("seq", "input", "T", "i64"),
        pos=argument("pos", "input", "T", "i64"),
        table=argument("table", "input", "2x4", "i64"),
        cache=argument("cache", "state", "8x2x2x4x8", "f32"),
        y=argument("y", "", "Tx48", "f32"),
        new=new,
    )
    program = build(text, tile)
    rng = torch.Generator().manual_seed(2)
    table = torch.randperm(8, generator=rng).reshape(2, 4)
    program.bind(table=table, cache=torch.full((8, 2, 2, 4, 8), float("nan")))
    keys: list[list[torch.Tensor]] = [[], []]
    values: list[list[torch.Tensor]] = [[], []]
    for chunk in [[0], [0, 1, 0], [1, 1, 1, 1, 0], [0, 1]]:
        tokens = len(chunk)
        q = torch.randn(tokens, 48, generator=rng)
        k, v = torch.randn(2, tokens, 2, 8, generator=rng)
        pos = []
        for t, s in enumerate(chunk):
            pos.append(len(keys[s]))
            keys[s].append(k[t])
            values[s].append(v[t])
        y = torch.full((tokens, 48), float("nan"))
        tensors = {"seq": torch.tensor(chunk), "pos": torch.tensor(pos)}
        program.bind(q=q, k=k.contiguous(), v=v.contiguous(), y=y, **tensors)
        program.step({"T": tokens})
        for t, s in enumerate(chunk):
            held = slice(0, pos[t] + 1)
            past_k = torch.stack(keys[s][held]).repeat_interleave(3, dim=1)
            past_v = torch.stack(values[s][held]).repeat_interleave(3, dim=1)
            scores = 0.5 * torch.einsum("hd,phd->hp", q[t].view(6, 8), past_k)
            expected = torch.einsum("hp,phd->hd", scores.softmax(-1), past_v)
            torch.testing.assert_close(y[t].view(6, 8), expected, rtol=1e-5, atol=1e-5)


SUMS = """
func.func @step(%x: {x}) -> ({y}, {echo}) attributes {{task.symbols = []}} {{
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<24xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<24xf32>) -> tensor<24xf32>
  %s = linalg.generic {{
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
      iterator_types = ["parallel", "reduction"]}}
    ins(%x : tensor<24x9xf32>) outs(%f : tensor<24xf32>) {{
  ^bb0(%a: f32, %acc: f32):
    %n = arith.addf %a, %acc : f32
    linalg.yield %n : f32
  }} -> tensor<24xf32>
  %y = tensor.expand_shape %s [[0, 1]] output_shape [4, 6] : tensor<24xf32> into tensor<4x6xf32>
  return %y, %x : tensor<4x6xf32>, tensor<24x9xf32>
}}
"""


def test_filled_destination_returned_view_and_returned_argument() -> None:
    program = build(
        SUMS.format(
            x=argument("x", "input", "24x9", "f32").replace("()[T]", "()"),
            y=argument("y", "", "4x6", "f32"),
            echo=argument("echo", "", "24x9", "f32"),
        ),
        tile="",
    )
    x = torch.arange(24 * 9, dtype=torch.float32).view(24, 9)
    y, echo = torch.full((4, 6), float("nan")), torch.full((24, 9), float("nan"))
    program.bind(x=x, y=y, echo=echo)
    for _ in range(2):
        program.step()
        assert torch.equal(y, x.sum(-1).view(4, 6)) and torch.equal(echo, x)
