# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The loops of every tile operation against PyTorch, on outputs that hold NaN beforehand."""

import pytest
import torch
from tile_jit import run_tile

DTYPES = [torch.float32, torch.bfloat16]


def random(*shape: int, dtype: torch.dtype) -> torch.Tensor:
    """Normal values; the same ones for the same shape."""
    generator = torch.Generator().manual_seed(sum(shape) + len(shape))
    return torch.randn(*shape, generator=generator).to(dtype)


def poisoned(*shape: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.full(shape, float("nan"), dtype=dtype)


def assert_rounded(actual: torch.Tensor, exact: torch.Tensor, ulps: float = 1.0) -> None:
    """`actual` is `exact` (f64) up to `ulps` units of its own type, with room for f32 sums."""
    assert not actual.isnan().any()
    unit = torch.finfo(actual.dtype).eps
    bound = ulps * unit * exact.abs() + 16 * torch.finfo(torch.float32).eps * exact.abs().max()
    assert ((actual.double() - exact).abs() <= bound).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("tokens", "rows", "width", "bias"),
    [
        (1, 32, 384, False),
        (2, 16, 1024, True),
        (3, 7, 40, True),
        (5, 5, 7, False),
        (4, 9, 16, False),
    ],
)
@pytest.mark.parametrize("dynamic", [False, True])
def test_linear(
    tokens: int, rows: int, width: int, bias: bool, dynamic: bool, dtype: torch.dtype
) -> None:
    x, w = random(tokens, width, dtype=dtype), random(rows, width, dtype=dtype)
    b = random(rows, dtype=dtype)
    # A tile of a wider output: what lies beside it stays as it was.
    whole = poisoned(tokens, rows + 3, dtype=dtype)
    y = whole[:, 2 : 2 + rows]
    run_tile(
        "task.linear ins(%x, %w : {x}, {w}) "
        + ("bias(%b : {b}) " if bias else "")
        + "outs(%y : {y})",
        {"x": (0,), "w": (0,), "b": (0,), "y": (0, 1)} if dynamic else {},
        x=x,
        w=w,
        b=b,
        y=y,
    )
    exact = x.double() @ w.double().T + (b.double() if bias else 0)
    assert_rounded(y, exact)
    assert whole[:, :2].isnan().all() and whole[:, 2 + rows :].isnan().all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 384), (3, 1024), (2, 37), (2, 3, 64), (1, 2, 5)])
def test_rms_norm(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    x, w, y = (
        random(*shape, dtype=dtype),
        random(shape[-1], dtype=dtype),
        poisoned(*shape, dtype=dtype),
    )
    run_tile(
        "task.rms_norm ins(%x, %w : {x}, {w}) outs(%y : {y}) eps 1.0e-5", {"x": (0,)}, x=x, w=w, y=y
    )
    # The inner rounding is visible: this is the framework's own order of operations.
    inverse = torch.rsqrt(x.double().pow(2).mean(-1, keepdim=True) + 1e-5)
    inner = (x.double() * inverse).to(dtype)
    assert_rounded(y, w.double() * inner.double(), ulps=1.5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("tokens", "heads", "width"), [(1, 3, 64), (5, 2, 10), (2, 1, 128)])
def test_rope(tokens: int, heads: int, width: int, dtype: torch.dtype) -> None:
    x, y = random(tokens, heads, width, dtype=dtype), poisoned(tokens, heads, width, dtype=dtype)
    cos, sin = random(tokens, width, dtype=dtype), random(1 + tokens, width, dtype=dtype)[1:]
    run_tile(
        "task.rope ins(%x, %cos, %sin : {x}, {cos}, {sin}) outs(%y : {y})",
        {"x": (0, 1)},
        x=x,
        cos=cos,
        sin=sin,
        y=y,
    )
    rotated = torch.cat((-x[..., width // 2 :], x[..., : width // 2]), dim=-1)
    assert torch.equal(y, x * cos[:, None] + rotated * sin[:, None])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("tokens", "half"), [(1, 32), (4, 5)])
def test_rope_table(tokens: int, half: int, dtype: torch.dtype) -> None:
    inv_freq = 1.0 / 10000 ** (torch.arange(half) / half)
    pos = torch.tensor([0, 7, 1000, 4095])[:tokens].contiguous()
    cos, sin = poisoned(tokens, 2 * half, dtype=dtype), poisoned(tokens, 2 * half, dtype=dtype)
    run_tile(
        "task.rope_table ins(%f, %pos : {f}, {pos}) outs(%cos, %sin : {cos}, {sin}) scaling 1.5",
        {"pos": (0,)},
        f=inv_freq,
        pos=pos,
        cos=cos,
        sin=sin,
    )
    angles = (pos[:, None].float() * inv_freq).repeat(1, 2).double()
    assert_rounded(cos, 1.5 * angles.cos(), ulps=2)
    assert_rounded(sin, 1.5 * angles.sin(), ulps=2)


def paged_case(
    pos: list[int], seq: list[int], kv_heads: int, width: int, page: int, dtype: torch.dtype
) -> dict[str, torch.Tensor]:
    """A cache of 16 pages, 8 to a sequence, in an order that is not the identity."""
    order = torch.randperm(16, generator=torch.Generator().manual_seed(3)).reshape(2, 8)
    return {
        "seq": torch.tensor(seq),
        "pos": torch.tensor(pos),
        "table": order.contiguous(),
        "cache": random(16, kv_heads, 2, page, width, dtype=dtype),
    }


PAGED = [
    # positions: the first of a page, the last of one, several pages, two sequences
    ([0], [0], 1, 64, 16),
    ([15, 16], [1, 1], 2, 64, 16),
    ([3, 31, 0, 17], [0, 1, 1, 0], 3, 5, 4),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("pos", "seq", "kv_heads", "width", "page"), PAGED)
def test_kv_append(
    pos: list[int], seq: list[int], kv_heads: int, width: int, page: int, dtype: torch.dtype
) -> None:
    case = paged_case(pos, seq, kv_heads, width, page, dtype)
    k = random(len(pos), kv_heads, width, dtype=dtype)
    v = random(len(pos) + 1, kv_heads, width, dtype=dtype)[1:]
    expected = case["cache"].clone()
    for t, (p, s) in enumerate(zip(pos, seq, strict=True)):
        number = int(case["table"][s, p // page])
        expected[number, :, 0, p % page], expected[number, :, 1, p % page] = k[t], v[t]
    run_tile(
        "task.kv_append ins(%k, %v, %seq, %pos, %table : {k}, {v}, {seq}, {pos}, {table}) "
        "outs(%cache : {cache})",
        {"k": (0,), "v": (0,), "seq": (0,), "pos": (0,)},
        k=k,
        v=v,
        **case,
    )
    assert torch.equal(case["cache"], expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("group", [1, 3])
@pytest.mark.parametrize(("pos", "seq", "kv_heads", "width", "page"), PAGED)
def test_attention(
    pos: list[int],
    seq: list[int],
    kv_heads: int,
    width: int,
    page: int,
    group: int,
    dtype: torch.dtype,
) -> None:
    case = paged_case(pos, seq, kv_heads, width, page, dtype)
    # Positions that do not exist yet must not be read.
    for s in range(2):
        held = max((p + 1 for p, q in zip(pos, seq, strict=True) if q == s), default=0)
        for p in range(held, 8 * page):
            case["cache"][int(case["table"][s, p // page]), :, :, p % page] = float("nan")
    q = random(len(pos), kv_heads * group, width, dtype=dtype)
    y = poisoned(*q.shape, dtype=dtype)
    run_tile(
        "task.attention ins(%q, %cache, %seq, %pos, %table : {q}, {cache}, {seq}, {pos}, {table}) "
        "outs(%y : {y}) scale 0.25",
        {"q": (0,), "seq": (0,), "pos": (0,), "y": (0,)},
        q=q,
        y=y,
        **case,
    )
    exact = torch.empty_like(q, dtype=torch.float64)
    for t, (p, s) in enumerate(zip(pos, seq, strict=True)):
        rows = case["cache"][case["table"][s]].double().permute(1, 2, 0, 3, 4).flatten(2, 3)
        keys, values = rows[:, 0, : p + 1], rows[:, 1, : p + 1]
        for h in range(kv_heads * group):
            scores = 0.25 * keys[h // group] @ q[t, h].double()
            exact[t, h] = scores.softmax(0) @ values[h // group]
    assert_rounded(y, exact, ulps=2)


@pytest.mark.parametrize("dtype", DTYPES)
def test_embedding(dtype: torch.dtype) -> None:
    ids, table, y = (
        torch.tensor([5, 0, 5]),
        random(6, 37, dtype=dtype),
        poisoned(3, 37, dtype=dtype),
    )
    run_tile(
        "task.embedding ins(%ids, %table : {ids}, {table}) outs(%y : {y})",
        {"ids": (0,), "y": (0,)},
        ids=ids,
        table=table,
        y=y,
    )
    assert torch.equal(y, table[ids])


@pytest.mark.parametrize("dtype", DTYPES)
def test_gather_rows(dtype: torch.dtype) -> None:
    rows, x, y = torch.tensor([3, 1]), random(4, 40, dtype=dtype), poisoned(2, 40, dtype=dtype)
    run_tile(
        "task.gather_rows ins(%x, %rows : {x}, {rows}) outs(%y : {y})",
        {"x": (0,), "rows": (0,)},
        x=x,
        rows=rows,
        y=y,
    )
    assert torch.equal(y, x[rows])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [1, 16, 100, 1024])
def test_argmax(width: int, dtype: torch.dtype) -> None:
    x = random(5, width, dtype=dtype)
    x[1] = x[1].round()  # ties
    x[2] = -float("inf")
    x[3, width // 2 :] = float("nan")
    y = torch.full((5,), -1)
    run_tile("task.argmax ins(%x : {x}) outs(%y : {y})", {"x": (0,), "y": (0,)}, x=x, y=y)
    lowest = [int((row == row.max()).nonzero()[0]) for row in x[:3]]
    assert y[:3].tolist() == lowest
    assert y[3] == width // 2
    assert y[4] == int((x[4] == x[4].max()).nonzero()[0])
