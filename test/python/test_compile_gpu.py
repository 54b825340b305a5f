# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Graphs to packages, without a GPU: every level of file, the command line, and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from test_cli import ETC_OPT
from torch_engine import TINY

import etc_mlir
from etc_mlir.cli import main
from etc_mlir.compile_gpu import compile_file, compile_model, compile_text
from etc_mlir.errors import CompileError, OptionError, TargetError
from etc_mlir.options import CompileOptions
from etc_mlir.package import Package, is_package

GRAPHS = Path(__file__).parents[2] / "examples" / "graphs"
MODELS = Path(__file__).parents[2] / "benchmarks" / "models"
ODD = Path(__file__).parents[1] / "data" / "odd.json"
needs_ptxas = pytest.mark.skipif(shutil.which("ptxas") is None, reason="no ptxas on PATH")
H200 = CompileOptions.of(target="h200", workers=2, policy="round-robin")


@needs_ptxas
@pytest.mark.parametrize(
    ("name", "workers", "launches"),
    [("split_sum", 132, 2), ("hops_counter", 2, 65), ("hops_data", 2, 65), ("mlp_chain_odd", 2, 5)],
)
def test_every_level_of_graph(name, workers, launches, tmp_path):
    package = compile_file(GRAPHS / f"{name}.mlir", H200, keep=tmp_path / "phases")
    assert package.name in (name, "step", name.removesuffix("_odd"))
    assert {s.workers for s in package.schedules} == {workers}
    assert len(package.tables["launch_names"]) == launches
    assert package.cubin.startswith(b"\x7fELF") and 0 < package.registers < 256
    assert f".entry {package.tables['kernel']}(" in package.ptx
    kept = sorted(path.name for path in (tmp_path / "phases").iterdir())
    assert kept[0] == "0-imported.mlir" and kept[-1].endswith("-ptx.mlir")


@needs_ptxas
def test_odd_sizes_of_a_decoder():
    """Linears of K = 384, 1024 and 3072, and a vocabulary that no tile divides."""
    options = CompileOptions.of(target="h200", max_batch=4, max_seq=256)
    package = compile_model(ODD, options)
    weights = {b.name: b for b in package.buffers if b.role == "weight"}
    assert {b.extents(())[-1] for b in weights.values() if b.layout == "mma_fragments"} == {
        384,
        1024,
        3072,
    }
    assert weights["model.embed_tokens.weight"].extents(()) == (1003, 384)
    assert 0 < package.registers <= 168


@needs_ptxas
@pytest.mark.parametrize(
    ("model", "values"),
    [
        ("qwen3-8b", {}),
        ("qwen3-8b", {"max_batch": 8}),
        ("qwen3-1.7b", {"max_batch": 16, "trace": True}),
        ("llama-3.2-1b", {"max_batch": 16}),
        ("qwen3-0.6b", {"passes": ("pipeline-handoffs:data=false",)}),
    ],
    ids=["8B", "8B-8", "1.7B-16-traced", "1B-16", "0.6B-counters"],
)
def test_no_model_spills(model, values, tmp_path):
    """Those with the least registers to spare. Two layers have the code of all; a package whose
    kernel spills is refused."""
    config = json.loads((MODELS / f"{model}.json").read_text())
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config | {"num_hidden_layers": 2}))
    package = compile_model(path, CompileOptions.of(target="h200", dtype="bfloat16", **values))
    assert 0 < package.registers <= 168
    assert package.tables["traced"] == values.get("trace", False)


@needs_ptxas
def test_the_events_of_a_whole_model_are_checked(tmp_path, capsys):
    """All 35,036 tasks of a step, at each number of tokens that is tried, and not skipped; a step
    that no longer waits for the one before is refused."""
    keep = tmp_path / "phases"
    model = str(MODELS / "qwen3-0.6b.json")
    options = ["--target", "h200", "--dtype", "bfloat16", "--keep", str(keep)]
    assert main(["compile", model, "-o", str(tmp_path / "m.etc"), *options]) == 0
    capsys.readouterr()

    def verify(graph: str) -> str:
        (tmp_path / "events.mlir").write_text(graph)
        command = [str(ETC_OPT), "events.mlir", "--verify-events=report", "-o", "/dev/null"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stderr

    graph = (keep / "4-events.mlir").read_text()
    said = next(line for line in verify(graph).splitlines() if "verify-events: checked at" in line)
    assert "(1): 24284 tasks; " in said and "skipped" not in said
    first, attention, rest = graph.partition("task.launch @split_attention_0 ")
    waits, notifies, after = rest.partition(" notifies(")
    waits = waits[: waits.index(" waits(")] + " waits()"
    assert "error: E12: in the next step" in verify(first + attention + waits + notifies + after)


def test_command_line(tmp_path, capsys):
    out = tmp_path / "m.etc"
    source = str(GRAPHS / "split_sum.mlir")
    assert main(["compile", source, "--target", "h200", "-o", str(out)]) == 0
    assert "132 workers, 2 launches" in capsys.readouterr().out
    assert is_package(out) and Package.read(out).target == "h200"
    assert main(["inspect", str(out)]) == 0
    assert "132 workers" in capsys.readouterr().out


def test_no_ptxas(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("ETC_PTXAS", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(TargetError, match="no ptxas: put CUDA's bin folder on PATH"):
        compile_file(GRAPHS / "dispatch.mlir", H200)


@needs_ptxas
def test_ptxas_says_what_it_refused(monkeypatch):
    from etc_mlir.ptxas import assemble

    with pytest.raises(CompileError, match="phase 'ptxas' failed"):
        assemble(".version 9.0\n.target sm_90a\nnonsense\n")


def test_what_is_refused(tmp_path):
    with pytest.raises(OptionError, match="target 'cpu' is no GPU"):
        compile_file(GRAPHS / "dispatch.mlir", CompileOptions.of(target="cpu", workers=1))
    with pytest.raises(OptionError, match=r"absent\.mlir cannot be read"):
        compile_file(tmp_path / "absent.mlir", H200)
    with pytest.raises(CompileError, match="expected"):
        compile_text("task.graph @", H200)
    with pytest.raises(TargetError, match="no CUDA device"):
        etc_mlir.compile(TINY, target="h200")
    broken = tmp_path / "gpu.json"
    broken.write_text('{"name": "gpu", "codegen": "nvvm", "workers": 4}')
    with pytest.raises(OptionError, match="says chip and shared_memory_bytes"):
        CompileOptions.of(target=str(broken))
