# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The scripts in examples/ run, and what they compute is right."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from torch_engine import TINY, reference

from etc_mlir import knobs
from etc_mlir.checkpoint import Checkpoint

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory):
    with knobs.CACHE_DIR.scope(tmp_path_factory.mktemp("cache")):
        yield


def test_split_sum(capsys):
    assert runpy.run_path(str(EXAMPLES / "01_split_sum.py"))["main"]() < 1e-4
    out = capsys.readouterr().out
    assert "event B" in out and "shape ()[s0] -> (s0 ceildiv 32), count ()[s0] -> (4)" in out
    assert "1000 rows on 4 workers" in out


def test_generate(capsys):
    text = runpy.run_path(str(EXAMPLES / "02_generate.py"))["main"]()
    tokenizer = Checkpoint.open(TINY).tokenizer()
    assert tokenizer is not None
    prompt = tuple(tokenizer.encode("Return the").ids)
    # It may end early, at the model's own end of text.
    assert text and tokenizer.decode(reference(prompt, 40)).startswith(text)
    assert "tokens/s" in capsys.readouterr().out
