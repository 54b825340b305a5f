# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights on their way to a program: stacked, packed, under any of their names, one at a time."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from typing import Any

import pytest
import torch
from gpu_fake import install
from test_launch import TABLES

from etc_mlir.errors import OptionError
from etc_mlir.package import Package
from etc_mlir.runtime.launch import Program
from etc_mlir.runtime.layout import pack_fragments, stack_rows

BUFFERS: list[dict[str, Any]] = [
    {"name": "ids", "role": "input", "element": "i64", "shape": [{"symbol": 0}]},
    {"name": "qkv", "shape": [48, 32], "stack": {"sources": ["q", "k", "v"], "rows": 0}},
    {"name": "mlp", "shape": [64, 32], "stack": {"sources": ["gate", "up"], "rows": 8}},
    {"name": "embed", "shape": [16, 32]},
    {"name": "norm", "layout": "row_major", "shape": [32]},
]
DEFAULTS = {"role": "weight", "layout": "mma_fragments", "element": "bf16", "offset": 0}
TIED = {"embed": {"shape": [16, 32], "dtype": "bfloat16", "tied": ["lm_head"]}}
PACKAGE = Package({**TABLES, "buffers": [{**DEFAULTS, **b} for b in BUFFERS]}, b"code")
PACKAGE = dataclasses.replace(PACKAGE, model={"weights": TIED})
SHAPES = {"q": 16, "k": 16, "v": 16, "gate": 32, "up": 32, "embed": 16}


@pytest.fixture
def program(monkeypatch):
    install(monkeypatch)
    return Program(PACKAGE)


def given() -> dict[str, torch.Tensor]:
    torch.manual_seed(4)
    found = {name: torch.randn(rows, 32).bfloat16() for name, rows in SHAPES.items()}
    return {**found, "norm": torch.ones(32).bfloat16()}


def test_stacked_and_packed(program):
    tensors = given()
    assert set(program.unbound()) == set(tensors)
    seen = []
    # Sources come in any order, with others between.
    program.bind(reversed(tensors.items()), lambda *progress: seen.append(progress))
    assert seen[-1][1:] == (7, 7) and not program.unbound()
    qkv = stack_rows([tensors[n] for n in "qkv"], 0)
    mlp = stack_rows([tensors["gate"], tensors["up"]], 8)
    for name, expected in {"qkv": qkv, "mlp": mlp, "embed": tensors["embed"]}.items():
        assert torch.equal(program._bound[name], pack_fragments(expected))
    assert torch.equal(program._bound["norm"], tensors["norm"])


def test_a_tied_name(program):
    tensors = given()
    embed = tensors.pop("embed")
    program.bind({**tensors, "lm_head": embed})
    assert torch.equal(program._bound["embed"], pack_fragments(embed))
    program.bind({"lm_head": embed, "embed": torch.zeros(1)})  # one storage: taken once


def test_no_second_copy_is_kept(program):
    kept = []

    def tensors():
        for name, tensor in given().items():
            if name != "norm":  # used as it is
                kept.append(weakref.ref(tensor))
            yield name, tensor

    program.bind(tensors())
    gc.collect()
    assert not [reference for reference in kept if reference() is not None]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": None}, "weight 'qkv' is made of q, k, v; not given: k"),
        ({"k": torch.zeros(16, 16)}, r"\[16, 32\] torch.bfloat16, \[16, 16\] torch.float32"),
        ({"embed": torch.zeros(32, 32).bfloat16()}, r"'embed' is \[16, 32\] and contiguous"),
        ({"norm": torch.zeros(32)}, "'norm' is bf16 on cpu, got torch.float32"),
        ({"other": torch.zeros(1)}, "no buffer 'other'"),
    ],
    ids=["missing", "part", "shape", "dtype", "unknown"],
)
def test_what_is_refused(program, change, message):
    tensors = {n: t for n, t in {**given(), **change}.items() if t is not None}
    with pytest.raises(OptionError, match=message):
        program.bind(tensors)


def test_a_stack_that_is_not_bound(program):
    with pytest.raises(OptionError, match=r"'qkv' \(weight, of q, k, v\) is not bound"):
        program.run({"ids": torch.zeros(1, dtype=torch.int64)}, {"n": 1})
