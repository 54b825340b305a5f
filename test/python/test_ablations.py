# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""benchmarks/ablations.py around a kernel that is the imported step in torch, and its table."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import pytest
import torch
from gpu_fake import install, load_benchmark
from gpu_tiny import ROOT, Tiny
from torch_engine import TINY

from etc_mlir import knobs, phases
from etc_mlir.options import CompileOptions
from etc_mlir.package import Package


@pytest.fixture(scope="module")
def tiny() -> Tiny:
    return Tiny()


@pytest.fixture
def ablations(monkeypatch):
    return load_benchmark(monkeypatch, "ablations")


def call(ablations: Any, monkeypatch: Any, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ablations.py", *words])
    return ablations.main()


def test_run(ablations, tiny, monkeypatch, tmp_path, capsys):
    install(monkeypatch).kernel = tiny.kernel
    for name in ("default", "counters"):
        tiny.package.write(tmp_path / f"{name}.etc")
    (tmp_path / "ablations.json").write_text('{"model": "tiny", "batch": 2}')
    sizes = ["--kv", "3", "--tokens", "4", "--warmup", "2", "--rounds", "2", "--only", "counters"]
    out = tmp_path / "out"
    command = ["run", str(tmp_path), "--out", str(out), "--ceiling", "3", *sizes]
    assert call(ablations, monkeypatch, *command) == 0
    assert "1.000 of default: events count tasks" in capsys.readouterr().out
    found = json.loads((out / "ablation-tiny-b2-kv3-counters.json").read_text())
    assert found["median_ms"] == 1 and found["n"] == 8 and found["against"] == "default"
    assert found["agrees"] == found["tokens"] == 5 and "all runs equal" in found["notes"]

    monkeypatch.syspath_prepend(ROOT / "utils")
    table = importlib.import_module("results_table")
    monkeypatch.setattr(table, "RESULTS", out)
    assert table.read_records("") == []
    assert "| counters | events count tasks" in table.ablations("tiny-b2-kv3")
    assert "| default | 1.000 | all |" in table.ablations("tiny-b2-kv3")


def test_tokens_that_differ(ablations):
    def seen(*tokens: int) -> Any:
        one = ablations.Timed.__new__(ablations.Timed)
        one.tokens = [torch.tensor(tokens)[:, None]]
        return one

    assert seen(1, 2, 3).agreement(seen(1, 5, 3)) == 1
    one = seen(1, 2)
    one.tokens.append(torch.tensor([[1], [3]]))
    assert not one.is_stable


def test_build(ablations, monkeypatch, tmp_path, capsys):
    with knobs.CACHE_DIR.scope(tmp_path / "cache"):
        words = ["build", str(tmp_path), "--model", str(TINY), "--max-seq", "64", "--only", "list"]
        assert call(ablations, monkeypatch, *words) == 0
    assert "[2/2] list: list scheduling" in capsys.readouterr().out
    assert Package.read(tmp_path / "list.etc").model is not None


def test_every_variant_has_phases(ablations):
    lines = {
        name: [p.pipeline for p in phases.phases(CompileOptions.of(target="h200", passes=v.passes))]
        for name, v in ablations.VARIANTS.items()
    }
    assert any(p.startswith("pipeline-handoffs{") and " data=false" in p for p in lines["counters"])
    assert "pipeline-events{steps=true barriers=true}" in lines["barriers"]
    assert any("shared-bytes=" in p and " prefetch=false}" in p for p in lines["no-prefetch"])


def test_an_unknown_variant(ablations, monkeypatch, tmp_path, capsys):
    with pytest.raises(SystemExit):
        call(ablations, monkeypatch, "build", str(tmp_path), "--only", "speed")
    assert "'speed' is not one of default, counters" in capsys.readouterr().err
