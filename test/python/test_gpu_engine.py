# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The GPU engine, and decoding on the device, around a kernel in torch on the host's memory."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest
import torch
from gpu_fake import install
from gpu_tiny import OPTIONS, Tiny
from no_compiler import run_without_compiler
from torch_engine import TINY, reference

import etc_mlir
from etc_mlir import compile_gpu, compiler, knobs
from etc_mlir.decoder import Decoder
from etc_mlir.errors import CheckpointError, OptionError, TargetError
from etc_mlir.package import PackageError
from etc_mlir.runtime import launch as runtime
from etc_mlir.runtime.decoding import Decoding
from etc_mlir.runtime.launch import Program
from etc_mlir.weights import stream


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
from etc_mlir.cli import main
sys.exit(main(["generate", {str(tmp_path / "tiny.etc")!r}, "--prompt", "Return"]))
"""
    done = run_without_compiler(program, tmp_path)
    assert done.returncode == 2 and "no CUDA device" in done.stderr, done.stderr
