# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiled kernels against transformers: tokens must be equal, whoever runs which task."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from torch_engine import TINY, reference

import etc_mlir
from etc_mlir import knobs
from etc_mlir.model import CompiledModel

LENGTH = 64
# Ragged: one token, less than a page, more than a step takes, and something between.
PROMPTS = ("R", "Return the new", "Raises ValueError if the given sequence is empty", "def f(x):")


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory):
    with knobs.CACHE_DIR.scope(tmp_path_factory.mktemp("cache")):
        yield


@functools.cache
def compiled(**options: Any) -> CompiledModel:
    return etc_mlir.compile(TINY, **{"max_batch": 4, "max_seq": 128, **options})


def tokens(text: str) -> tuple[int, ...]:
    tokenizer = compiled(workers=2).tokenizer
    assert tokenizer is not None
    return tuple(tokenizer.encode(text).ids)


@pytest.mark.parametrize("policy", ["round-robin", "list"])
@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_tokens_equal_transformers(workers, policy):
    model = compiled(workers=workers, policy=policy)
    for batch in (1, 2, 3, 4):
        prompts = [tokens(text) for text in PROMPTS[:batch]]
        found = model.generate(prompts, LENGTH, eos=())
        assert found == [reference(p, LENGTH) for p in prompts]
    assert model.kernel.workers == workers
    assert model.last.new_tokens == 4 * LENGTH
