# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The GPU engine around a kernel that is the imported step in torch, on the host's memory."""

from __future__ import annotations

import ctypes
import dataclasses
import importlib
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gpu_fake import install
from torch_engine import TINY, reference

import etc_mlir
from etc_mlir import compile_gpu, compiler, knobs
from etc_mlir.compiler import describe, import_for
from etc_mlir.decoder import Decoder
from etc_mlir.errors import CheckpointError, OptionError, TargetError
from etc_mlir.interpreter.torch_level import TorchLevel
from etc_mlir.options import CompileOptions
from etc_mlir.package import Package, PackageError
from etc_mlir.report import silent
from etc_mlir.runtime import launch as runtime
from etc_mlir.runtime.abi import EtcContext
from etc_mlir.runtime.decoding import Decoding
from etc_mlir.runtime.launch import Program
from etc_mlir.runtime.weights import DTYPES
from etc_mlir.weights import stream

ELEMENTS = {dtype: name for name, dtype in DTYPES.items()}
OPTIONS = CompileOptions.of(target="h200", max_batch=3, max_seq=64, max_tokens=8)
ROOT = Path(__file__).parents[2]


def memory(address: int, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    size = math.prod(shape) * dtype.itemsize
    raw = (ctypes.c_uint8 * size).from_address(address)
    return torch.from_numpy(np.ctypeslib.as_array(raw)).view(dtype).view(shape)


class Tiny:
    """The package of the small model, without machine code, and what stands for that."""

    def __init__(self) -> None:
        found = import_for(TINY, OPTIONS, silent)
        symbols = list(found.ranges)
        outputs = [r for r in found.results if r.role == "output"]
        buffers = [
            {
                "name": a.name,
                "role": a.role,
                "layout": "row_major",
                "element": ELEMENTS[a.dtype],
                "shape": [
                    {"symbol": symbols.index(d)} if isinstance(d, str) else d for d in a.shape
                ],
                "offset": 0,
            }
            for a in (*found.arguments, *outputs)
        ]
        largest = [found.ranges[s][1] for s in symbols]
        schedule = {"bucket": largest, "policy": "list", "offsets": [0, 1], "runs": [0, 0, 1, 1]}
        tables: dict[str, Any] = {
            "name": "step",
            "kernel": "step_worker",
            "threads": 288,
            "shared_bytes": 2048,
            "symbols": [{"name": s, "min": 1, "max": found.ranges[s][1]} for s in symbols],
            "buffers": buffers,
            "launch_names": ["all"],
            "launch_width": 1,
            "launches": [0],
            "event_names": [],
            "events": [],
            "counter_words": 0,
            "scratch_bytes": 0,
            "schedules": [schedule],
        }
        model = describe(TINY, found, OPTIONS).to_json()
        self.package = Package.from_bytes(Package(tables, b"code", model=model).to_bytes())
        self.level = TorchLevel(found.text)

    def kernel(self, context: EtcContext) -> None:
        buffers, count = self.package.buffers, len(self.package.symbols)
        symbols = list((ctypes.c_int64 * count).from_address(context.symbols))
        addresses = (ctypes.c_int64 * len(buffers)).from_address(context.buffers)
        held = {
            b.name: memory(address, b.extents(symbols), DTYPES[b.element])
            for b, address in zip(buffers, addresses, strict=True)
        }
        given = {b.name: held[b.name] for b in buffers if b.role != "output"}
        for name, value in self.level.run(given).items():
            held[name].copy_(value)


@pytest.fixture(scope="module")
def tiny() -> Tiny:
    return Tiny()


def test_generate(tiny, monkeypatch, tmp_path):
    install(monkeypatch).kernel = tiny.kernel
    path = tmp_path / "tiny.etc"
    tiny.package.write(path)
    model = etc_mlir.load(path)
    prompts = [(82, 101, 116), (100,), tuple(range(60, 80)), (82, 101)]
    found = model.generate(prompts, 8, eos=())
    assert found == [list(reference(p, 8)) for p in prompts]
    assert model.kernel.workers == 1 and model.vocab_size == 272 and model.eos == {256}
    assert model.engine.logits().dtype == np.float32
    assert model.generate("Return", 3)


def test_compile(tiny, monkeypatch, tmp_path):
    """A folder through the kernel cache: compiled once, then read from there."""
    install(monkeypatch).kernel = tiny.kernel
    monkeypatch.setattr(runtime, "require_device", lambda: None)
    bare, texts = dataclasses.replace(tiny.package, model={}), []
    monkeypatch.setattr(
        compile_gpu, "compile_text", lambda text, *_, **__: texts.append(text) or bare
    )
    options = {"max_batch": 3, "max_seq": 64, "max_tokens": 8}
    with knobs.CACHE_DIR.scope(tmp_path):
        for _ in range(2):
            model = etc_mlir.compile(TINY, "h200", **options)
            assert model.generate([82, 101, 116], 2, eos=()) == list(reference((82, 101, 116), 2))
    assert len(texts) == 1


def test_a_config_alone(tmp_path):
    """A package can be made without weights; what it was made of is its content, not its name."""
    path = tmp_path / "tiny.json"
    shutil.copy(TINY / "config.json", path)
    assert compiler._config(path).hidden_size == 128
    key = compiler._folder_key(path, OPTIONS)
    path.write_text(path.read_text().replace('"hidden_size": 128', '"hidden_size": 64'))
    assert compiler._config(path).hidden_size == 64
    assert compiler._folder_key(path, OPTIONS) != key
    path.write_text("{}")
    with pytest.raises(OptionError, match=r"tiny\.json is not a known model"):
        compiler._config(path)


def test_decoding_on_the_device(tiny, monkeypatch):
    """Ragged prompts, mixed in the steps of the prefill; free and forced decoding."""
    install(monkeypatch).kernel = tiny.kernel
    program = Program(tiny.package)
    program.bind(stream(Decoder.of(tiny.package), TINY)[0])
    decoding = Decoding(program)
    prompts = [(82, 101, 116), (100,), tuple(range(60, 80))]
    expected = torch.tensor([reference(p, 6) for p in prompts]).T
    lengths = [len(p) for p in prompts]
    first, logits = decoding.prefill([torch.tensor(p) for p in prompts])
    assert torch.equal(first, expected[0]) and torch.equal(logits.argmax(-1), first)
    run = decoding.prepare(first, lengths, 5)
    decoding.run(run.steps)
    assert torch.equal(run.tokens, expected)
    forced = decoding.prepare(first, lengths, 5, forced=expected[:5], keep_logits=True)
    decoding.run(forced.steps)
    assert torch.equal(forced.logits.argmax(-1), expected[1:])
    assert torch.equal(forced.logits[-1], run.logits[-1])
    with pytest.raises(OptionError, match="4 sequences of 3 positions"):
        decoding.prefill([torch.tensor(prompts[0])] * 4)


@pytest.fixture
def decode(monkeypatch):
    """benchmarks/decode.py, with events that tell no time."""

    class Event:
        record = staticmethod(lambda: None)
        elapsed_time = staticmethod(lambda other: 1.0)

    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.setattr(torch.cuda, "Event", lambda enable_timing: Event)
    monkeypatch.setattr(torch.cuda, "_sleep", lambda cycles: None)
    return importlib.import_module("decode")


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


def test_a_dtype_of_the_options_converts_the_weights(tiny):
    decoder = Decoder.of(tiny.package)
    small = {n: dataclasses.replace(w, dtype="bfloat16") for n, w in decoder.weights.items()}
    wanted = dataclasses.replace(decoder, weights=small)
    with pytest.raises(CheckpointError, match="bfloat16"):
        stream(wanted, TINY)
    options = dataclasses.replace(OPTIONS, dtype="bfloat16")
    pairs, tokenizer = stream(dataclasses.replace(wanted, options=options), TINY)
    dtypes = {name: tensor.dtype for name, tensor in pairs}
    assert tokenizer and dtypes.pop("model.rotary_emb.inv_freq") == torch.float32
    assert set(dtypes) == set(small) and set(dtypes.values()) == {torch.bfloat16}


def test_no_gpu_is_said_before_the_weights_are_read(tiny, tmp_path):
    path = tmp_path / "tiny.etc"
    tiny.package.write(path)
    for call in (lambda: etc_mlir.load(path, "nowhere"), lambda: etc_mlir.compile(TINY, "h200")):
        with pytest.raises(TargetError, match="no CUDA device"):
            call()


def test_the_package_of_a_graph_is_no_model(tiny):
    with pytest.raises(PackageError, match="is a graph's, not a model's"):
        Decoder.of(dataclasses.replace(tiny.package, model={}))
    with pytest.raises(PackageError, match="does not describe its model"):
        Decoder.of(dataclasses.replace(tiny.package, model={"options": {"tiles": []}}))


def test_loading_needs_no_compiler(tiny, tmp_path):
    """The native module and the frameworks of the import hidden: up to the GPU that is missing."""
    tiny.package.write(tmp_path / "tiny.etc")
    program = f"""
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name == "etc_mlir._etc" or name.split(".")[0] in ("torch_mlir", "transformers"):
            raise ImportError("hidden: " + name)
sys.meta_path.insert(0, Hide())
from etc_mlir.cli import main
sys.exit(main(["generate", {str(tmp_path / "tiny.etc")!r}, "--prompt", "Return"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "python"), "HOME": str(tmp_path)},
    )
    assert done.returncode == 2 and "no CUDA device" in done.stderr, done.stderr
