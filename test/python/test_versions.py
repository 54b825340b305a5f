# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`--check`: a graph that lacks an event, or shares memory that it must not, is always reported."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest
import transformers
from torch_engine import TINY, reference

import etc_mlir
from etc_mlir import knobs, phases
from etc_mlir.errors import CheckError
from etc_mlir.frontend.importer import import_model
from etc_mlir.interpreter.versions import Versions

SPLIT_SUM = Path(__file__).parents[2] / "examples" / "01_split_sum.mlir"


@functools.cache
def graph() -> str:
    """The tiny model at the level of events."""
    config = transformers.AutoConfig.from_pretrained(TINY)
    imported = import_model(config, max_tokens=4, max_seqs=2, page_tokens=8, max_seq_len=16)
    module = phases.parse(imported.text)
    module.run("pipeline-import,pipeline-decompose{workers=2},pipeline-events")
    return str(module)


def versions(text: str) -> Versions:
    return Versions(phases.parse(text))


def without_waits(text: str, body: str, which: int = 0) -> str:
    """The text with no wait in the launch of `body` that is number `which`."""
    launches = list(re.finditer(rf"task\.launch @{body}\b.*? waits(\(.*?\)) notifies", text))
    start, end = launches[which].span(1)
    assert end - start > 2, "the launch has no wait to drop"
    return text[:start] + "()" + text[end:]


def test_the_model_is_right_at_every_size():
    found = versions(graph())
    launches = graph().count("task.launch")
    for values in ([1, 1], [3, 2], [4, 1]):
        assert found.check(values) == 2 * launches


@pytest.mark.parametrize("body", ["attention_0", "kv_append_0", "rope_0", "argmax_0", "mul_0"])
def test_a_launch_without_its_waits_is_caught(body):
    with pytest.raises(CheckError, match=rf"\(@{body}\) reads \d+ elements of '"):
        versions(without_waits(graph(), body)).check([2, 1])


def test_buffers_that_share_memory_too_early_are_caught():
    module = phases.parse(SPLIT_SUM.read_text())
    module.run("pipeline-events")
    versions(str(module)).check([70])
    # Two scratch buffers of the model in one place: both are alive at a residual's addition.
    text = graph()
    first, second, *_ = re.findall(r'task\.scratch "(?:add|linear)\.\d+".* at (\d+) :', text)
    overlapping = re.sub(r'(task\.scratch "linear\.\d+".* at )\d+ :', rf"\g<1>{first} :", text)
    assert second is not None and overlapping != text
    with pytest.raises(CheckError, match="share memory"):
        versions(overlapping).check([2, 1])


def test_a_wait_for_part_of_what_is_read_is_caught():
    # The sum of a block waits for the partial sums of the first block only.
    module = phases.parse(SPLIT_SUM.read_text())
    module.run("pipeline-events")
    text, count = re.subn(r"(waits\(%\w+ at \(d0\) -> \()d0\)", r"\g<1>d0 - d0)", str(module))
    assert count == 1
    versions(str(module)).check([70])
    with pytest.raises(
        CheckError, match=r"\(@final\) reads \d+ elements of 'B' as written by nobody"
    ):
        versions(text).check([70])


def test_compile_with_check_generates_the_same(tmp_path, monkeypatch):
    with knobs.CACHE_DIR.scope(tmp_path):
        model = etc_mlir.compile(TINY, check=True, workers=2, max_seq=64, max_tokens=4)
        assert model.tokenizer is not None
        prompt = model.tokenizer.encode("Raise").ids
        assert model.generate(prompt, 6, eos=()) == reference(tuple(prompt), 6)
        # A graph that lost an edge does not run.
        from etc_mlir.archive import Archive
        from etc_mlir.interpreter.versions import CheckedEngine

        (entry,) = tmp_path.iterdir()
        archive = Archive.of({p.name: p.read_bytes() for p in entry.iterdir()})
        broken = without_waits(archive.graph, "attention_0", 2)
        model.engine = CheckedEngine(model.engine, broken)
        with pytest.raises(CheckError, match="attention_0"):
            model.generate(prompt, 6, eos=())
