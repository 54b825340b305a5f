# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiled kernels against transformers: tokens must be equal, whoever runs which task."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch_engine import TINY, reference

import etc_mlir
from etc_mlir import knobs
from etc_mlir.errors import CheckpointError, OptionError, WatchdogError
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


def test_a_model_in_memory_equals_its_folder():
    import transformers

    model = transformers.AutoModelForCausalLM.from_pretrained(TINY).eval()
    found = etc_mlir.compile(model, workers=2, max_batch=4, max_seq=128)
    prompt = tokens(PROMPTS[2])
    assert found.generate(prompt, 12, eos=()) == reference(prompt, 12)


def test_tiles_change_the_tasks_and_not_the_tokens():
    other = compiled(workers=2, tiles=(("linear", "4x32"),))
    assert other.kernel.tasks != compiled(workers=2).kernel.tasks
    prompt = tokens(PROMPTS[1])
    assert other.generate(prompt, 24, eos=()) == reference(prompt, 24)


def test_options_of_phases_change_the_events_and_not_the_tokens():
    passes = ("pipeline-events:barriers=true", "pipeline-schedule:prefetch=false")
    other = compiled(workers=2, passes=passes)
    assert other.kernel.events < compiled(workers=2).kernel.events
    prompt = tokens(PROMPTS[1])
    assert other.generate(prompt, 24, eos=()) == reference(prompt, 24)


def test_batches_that_grow_and_shrink_leave_no_stale_events():
    # 4 -> 1 -> 4 sequences: entries that a small step skips must be right in the next large one.
    model = compiled(workers=3, policy="list")
    few, many = [tokens(PROMPTS[0])], [tokens(text) for text in PROMPTS]
    for prompts in (many, few, many, few, few, many):
        assert model.generate(prompts, 9, eos=()) == [reference(p, 64)[:9] for p in prompts]


def test_the_epoch_wraps():
    model = compiled(workers=2)
    engine: Any = model.engine
    engine.runtime.set_epoch(2**32 - 5)
    prompt = tokens(PROMPTS[1])
    assert model.generate(prompt, 16, eos=()) == reference(prompt, 64)[:16]
    assert engine.runtime.epoch < 16


def test_step_equals_generate():
    model = compiled(workers=2)
    prompt = tokens(PROMPTS[1])
    row = model.cache.admit(len(prompt) + 1)
    found = model.step(
        prompt, [row] * len(prompt), range(len(prompt)), [len(prompt) - 1, len(prompt) - 2]
    )
    again = model.step([int(found[0])], [row], [len(prompt)], [0])
    model.cache.release(row)
    assert [int(found[0]), int(again[0])] == reference(prompt, 64)[:2]
    assert np.argmax(model.engine.logits(), axis=-1).tolist() == again.tolist()


def test_a_lost_notify_is_reported_and_the_engine_recovers():
    model = compiled(workers=2)
    engine: Any = model.engine
    prompt = tokens(PROMPTS[1])
    expected = model.generate(prompt, 4, eos=())
    runtime = engine.runtime
    runtime.timeout_s, timeout = 2, runtime.timeout_s
    row = next(i for i, e in enumerate(runtime.events.tolist()) if e[2] and not e[1])
    runtime.counters[runtime.events[row][0]] -= 1
    with pytest.raises(WatchdogError, match=r"seen \d+, wanted \d+") as error:
        model.generate(prompt, 4, eos=())
    runtime.timeout_s = timeout
    assert error.value.wait.event == row
    assert error.value.wait.wanted == error.value.wait.seen + 1
    assert model.generate(prompt, 4, eos=()) == expected


def test_a_trace_has_every_task_of_the_step():
    model = compiled(workers=2, trace=True)
    model.generate(tokens(PROMPTS[0]), 3, eos=())
    trace = model.trace()
    assert sum(map(len, trace.records)) == model.kernel.tasks
    for records in trace.records:
        assert (records["end_ns"] >= records["begin_ns"]).all()
        assert (records["begin_ns"][1:] >= records["end_ns"][:-1]).all()
    assert any(len(launch.grid) for launch in trace.launches)
    with pytest.raises(OptionError, match="compiled without trace"):
        compiled(workers=2).trace()


def test_the_cache_is_used_and_survives_damage(tmp_path, caplog):
    options = {"max_batch": 4, "max_seq": 128, "workers": 2}
    with knobs.CACHE_DIR.scope(tmp_path):
        etc_mlir.compile(TINY, **options)
        (entry,) = tmp_path.iterdir()
        code = entry / "code"
        stamp = code.stat().st_mtime_ns
        etc_mlir.compile(TINY, **options)
        assert code.stat().st_mtime_ns == stamp
        code.write_bytes(code.read_bytes()[:-1])
        model = etc_mlir.compile(TINY, **options)
        assert "is damaged" in caplog.text
        prompt = tokens(PROMPTS[0])
        assert model.generate(prompt, 4, eos=()) == reference(prompt, 64)[:4]
        etc_mlir.compile(TINY, **{**options, "workers": 3})
        assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "tpu"}, "target 'tpu' is not known"),
        ({"policy": "fair"}, "policy 'fair' is not one of"),
        ({"max_batch": 0}, "max_batch must be a positive number"),
        ({"max_batch": 4, "max_tokens": 2}, "max_tokens 2 is less than max_batch 4"),
        ({"workers": 1000}, "1000 workers, but target 'cpu' has 256"),
        ({"tiles": {"linear": "big"}}, "tile 'linear:big' is not"),
        ({"speed": 11}, "no option 'speed'"),
        ({"dtype": "int4"}, "dtype 'int4' is not one of"),
        ({"passes": ["barriers"]}, "'barriers' is not PIPELINE:OPTION=VALUE"),
        ({"passes": ["pipeline-gpu:prefetch=false"]}, "'cpu' has no pipeline 'pipeline-gpu'"),
        ({"passes": ["pipeline-events:bars=true"]}, "'pipeline-events:bars=true' cannot be set"),
        ({"passes": ["pipeline-events:barriers=2"]}, "'pipeline-events:barriers=2' cannot be set"),
    ],
)
def test_options_that_cannot_be_used(options, message):
    with pytest.raises(OptionError, match=message):
        etc_mlir.compile(TINY, **options)


def test_a_folder_without_weights(tmp_path):
    with pytest.raises(CheckpointError, match=r"config\.json"):
        etc_mlir.compile(Path(tmp_path))
