# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""benchmarks/decode.py around a kernel that is the imported step in torch."""

from __future__ import annotations

import ctypes
import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from gpu_fake import install, load_benchmark
from gpu_tiny import Tiny, memory
from torch_engine import TINY

from etc_mlir.decoder import Decoder
from etc_mlir.runtime.abi import EtcContext


@pytest.fixture(scope="module")
def tiny() -> Tiny:
    return Tiny()


@pytest.fixture
def decode(monkeypatch):
    return load_benchmark(monkeypatch, "decode")


def benchmark(decode: Any, monkeypatch: Any, tmp_path: Path, tiny: Tiny, *flags: str) -> int:
    tiny.package.write(tmp_path / "tiny.etc")
    sizes = "--batch 2 --kv 3 --tokens 2 --repeats 1 --check --check-tokens 3 --check-batch 2"
    words = ["decode.py", str(tmp_path / "tiny.etc"), *sizes.split(), "--stress", "2", *flags]
    monkeypatch.setattr(sys, "argv", words)
    return decode.main()


def test_decode_benchmark(tiny, decode, monkeypatch, tmp_path, capsys):
    install(monkeypatch).kernel = tiny.kernel
    out = ["--out", str(tmp_path / "out"), "--checkpoint", str(TINY)]
    assert benchmark(decode, monkeypatch, tmp_path, tiny, *out) == 0
    printed = capsys.readouterr().out
    assert "greedy 6 of 6" in printed and "2 steps twice: no hang, tokens equal" in printed
    found = json.loads((tmp_path / "out" / "decode-tiny-qwen3-b2-kv3.json").read_text())
    # Four layers of keys and values, two heads of 32, at four positions of two sequences, f32.
    cache = 4 * 2 * 2 * 32 * 4 * 2 * 4
    held = Decoder.of(tiny.package).weights.values()
    assert found["bytes"] == cache + sum(4 * math.prod(w.shape) for w in held)
    assert found["median_ms"] == 1 and found["n"] == 2
    checked = json.loads((tmp_path / "out" / "check-tiny-qwen3.json").read_text())
    # Ours is f32, too.
    assert len(checked["runs"]) == 2 and all(run["worst"] < 0.1 for run in checked["runs"])


def test_decode_check_finds_a_wrong_kernel(tiny, decode, monkeypatch, tmp_path, capsys):
    def wrong(context: EtcContext) -> None:
        tiny.kernel(context)
        *_, logits = (b for b in tiny.package.buffers if b.name == "logits")
        slot = tiny.package.buffers.index(logits)
        address = ctypes.c_int64.from_address(context.buffers + 8 * slot).value
        memory(address, (1, 272), torch.float32)[0, 7] += 1

    install(monkeypatch).kernel = wrong
    flags = ["--checkpoint", str(TINY), "--repeats", "0"]
    assert benchmark(decode, monkeypatch, tmp_path, tiny, *flags) == 1
    assert "MORE THAN 1.3" in capsys.readouterr().out


def test_a_step_that_is_off_alone(monkeypatch):
    """Of eight steps of two sequences one is off: in one sequence no more than in the other by the
    framework, then in both."""
    check = load_benchmark(monkeypatch, "decode_check")
    theirs = torch.full((8, 2), 1.0)
    theirs[5, 1] = 8.0
    ours = torch.full((8, 2), 0.5)
    ours[5, 0] = 8.0
    found = check.Comparison({"max": ours}, {"max": theirs}, (16, 16))
    assert found.ratios()["max, one sequence"] == 8.0
    assert found.worst(every_step=True) == 1.0
    ours[2, 0] = 1.5
    found = check.Comparison({"max": ours}, {"max": theirs}, (16, 16))
    assert found.worst(every_step=True) == 1.5
    assert found.worst(every_step=False) == 1.0
    ours[0, 0] = float("nan")
    assert found.worst(every_step=False) == float("inf")
