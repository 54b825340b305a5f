# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command `etc`, in this process: what it prints, what it writes, what it says is wrong."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from torch_engine import TINY, reference

from etc_mlir import knobs
from etc_mlir.checkpoint import Checkpoint
from etc_mlir.cli import main

ETC_OPT = Path(__file__).parents[2] / "build" / "tools" / "etc-opt" / "etc-opt"
MODEL = str(TINY)
SMALL = ["--workers", "2", "--max-seq", "128"]


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory):
    with knobs.CACHE_DIR.scope(tmp_path_factory.mktemp("cache")):
        yield


def expected(prompt: str, count: int) -> str:
    tokenizer = Checkpoint.open(TINY).tokenizer()
    assert tokenizer is not None
    return tokenizer.decode(reference(tuple(tokenizer.encode(prompt).ids), count))


def test_demo_writes_text_and_says_what_it_was(capsys, tmp_path):
    path = tmp_path / "demo.svg"
    assert main(["demo", "--max-new-tokens", "24", "--trace", str(path)]) == 0
    out = capsys.readouterr().out
    assert "Return a new" + expected("Return a new", 24) in out
    for word in ("tokens/s", "tasks on 2 workers", "events and no barrier"):
        assert word in out
    assert out.rstrip().endswith("The demo is complete: the compiled kernel generated this text.")
    assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_generate_one_prompt(capsys, tmp_path):
    path = tmp_path / "step.json"
    command = ["generate", MODEL, "--prompt", "Raises", "--max-new-tokens", "20", "--ignore-eos"]
    assert main([*command, *SMALL, "--trace", str(path)]) == 0
    captured = capsys.readouterr()
    assert captured.out == expected("Raises", 20) + "\n"
    assert "20 tokens in" in captured.err
    tasks = [e for e in json.loads(path.read_text())["traceEvents"] if e["ph"] == "X"]
    assert {e["tid"] for e in tasks} == {0, 1}
    assert any(e["args"]["coordinates"] for e in tasks)


def test_compile_then_generate_and_inspect_the_file(capsys, tmp_path):
    path, keep = tmp_path / "tiny.etc", tmp_path / "phases"
    options = ["--max-batch", "2", *SMALL]
    assert main(["compile", MODEL, "-o", str(path), "--keep", str(keep), *options]) == 0
    assert "tasks and" in capsys.readouterr().out
    prompts = ["--prompt", "Return", "--ids", "82,101"]
    command = ["generate", str(path), *prompts, "--max-new-tokens", "9", "--ignore-eos"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert f"[0] {expected('Return', 9)}" in out
    assert f"[1] {expected('Re', 9)}" in out
    for source in (path, keep / "4-schedule.mlir"):
        assert main(["inspect", str(source), *options]) == 0
        out = capsys.readouterr().out
        for title in ("Launches, by kind", "Event tensors", "Schedules", "Load at 1", "Memory"):
            assert title in out
        assert "attention_0" in out


def test_every_kept_phase_can_be_repeated_with_etc_opt(tmp_path):
    keep = tmp_path / "phases"
    output = str(tmp_path / "m.etc")
    assert main(["compile", MODEL, "-o", output, "--keep", str(keep), *SMALL]) == 0
    kept = sorted(p.name for p in keep.iterdir())
    assert [name[2:-5] for name in kept] == [
        *("imported", "tensor", "tasks", "events", "schedule", "persistent", "llvm")
    ]
    for name in kept[1:]:
        first, _, rest = (keep / name).read_text().partition("\n")
        words = shlex.split(first.removeprefix("// "))
        assert words[0] == "etc-opt"
        done = subprocess.run(
            [str(ETC_OPT), *words[1:]], cwd=keep, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == rest.strip()


def test_bench_decode_writes_json(capsys, tmp_path):
    path = tmp_path / "decode.json"
    command = ["bench", "decode", "--workers", "1,2", "--new-tokens", "8", "--repeat", "2"]
    assert main([*command, "--json", str(path)]) == 0
    found = json.loads(path.read_text())
    assert found["benchmark"] == "decode"
    assert [r["workers"] for r in found["results"]] == [1, 2]
    assert all(r["tokens_per_s"] > 0 and len(r["samples"]) == 2 for r in found["results"])
    assert "tokens/s" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["", "compile", "generate", "inspect", "bench"])
def test_help_teaches_with_examples(capsys, command):
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert f"  etc {command or 'demo'}" in out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("generate /no/such/folder --prompt x", "is not a folder. Give the folder"),
        ("generate MODEL", 'no prompt: give --prompt "TEXT"'),
        ("generate MODEL --ids 1,a", "is not a list of token ids"),
        ("generate MODEL --ids 999", "holds token 999, outside 0 .. 271"),
        ("generate MODEL --prompt x --max-seq 32", "compiled for max_seq 32"),
        ("generate MODEL --prompt x --trace t.png", "written as .json (Perfetto) or .svg"),
        ("generate MODEL --prompt x --target tpu", "target 'tpu' is not known. Give one of cpu"),
        ("generate no.etc --prompt x", "Make it with `etc compile`"),
        ("inspect README.etc", "is not there"),
        ("inspect no.mlir", "cannot be read"),
        ("inspect MODEL --tile linear", "is not OPERATOR:SIZExSIZE"),
        ("bench decode --workers two", "is not a list of numbers"),
    ],
)
def test_mistakes_end_with_2_and_what_to_do(capsys, command, message):
    words = [MODEL if word == "MODEL" else word for word in command.split()]
    assert main(words) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err and captured.out == ""


@pytest.mark.parametrize("words", [["generate"], ["fly"], ["demo", "--max-new-tokens", "0"]])
def test_arguments_that_argparse_refuses(capsys, words):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: etc" in capsys.readouterr().err


def test_a_failing_phase_names_itself_and_the_line_that_repeats_it(capsys):
    assert main(["inspect", MODEL, "--tile", "linear:1x2x3x4", *SMALL]) == 2
    err = capsys.readouterr().err
    assert "phase 'tasks' failed" in err
    command = next(line.strip() for line in err.splitlines() if line.strip().startswith("etc-opt"))
    words = shlex.split(command)
    done = subprocess.run([str(ETC_OPT), *words[1:]], capture_output=True, text=True)
    assert done.returncode == 1 and "error:" in done.stderr
    Path(words[-1]).unlink()


def test_a_file_that_is_no_archive(capsys, tmp_path):
    path = tmp_path / "bad.etc"
    path.write_bytes(b"not a zip")
    assert main(["inspect", str(path)]) == 2
    assert "is not a file of `etc compile`" in capsys.readouterr().err


def test_a_file_keeps_its_options_and_can_be_traced(capsys, tmp_path):
    path, trace = tmp_path / "tiny.etc", tmp_path / "t.svg"
    assert main(["compile", MODEL, "-o", str(path), *SMALL]) == 0
    command = ["generate", str(path), "--prompt", "Return", "--max-new-tokens", "3"]
    assert main([*command, "--workers", "4"]) == 2
    assert "--workers has no effect" in capsys.readouterr().err
    assert main([*command, "--trace", str(trace)]) == 0
    assert trace.stat().st_size > 1000
