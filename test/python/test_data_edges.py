# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Values that cross with their epoch, on threads: a chain, step by step, and one that breaks."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from etc_mlir import _etc
from etc_mlir.errors import WatchdogError
from etc_mlir.runtime_cpu import CpuProgram

GRAPHS = Path(__file__).parents[2] / "examples" / "graphs"
HOPS = 64


def chain(text: str, workers: int, **options) -> CpuProgram:
    module = _etc.Module.parse(_etc.Context(), text)
    module.run(f"task.graph(verify-events),pipeline-schedule{{workers={workers}}}")
    module.run("pipeline-persistent")
    return CpuProgram(module, **options)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_values_of_the_step_and_no_older_ones(workers):
    program = chain((GRAPHS / "hops_data.mlir").read_text(), workers)
    x, y = np.zeros(1, np.int32), np.zeros(1, np.int32)
    program.bind(x=x, y=y)
    for step in range(100):
        x[0], y[0] = step * step - 7, -1
        program.step()
        assert y[0] == x[0] + HOPS


def test_epochs_wrap():
    program = chain((GRAPHS / "hops_data.mlir").read_text(), 2)
    x, y = np.zeros(1, np.int32), np.zeros(1, np.int32)
    program.bind(x=x, y=y)
    program.set_epoch(2**32 - 3)
    for step in range(6):
        x[0] = step
        program.step()
        assert y[0] == step + HOPS


def test_a_value_that_never_comes_ends_the_step():
    text = (GRAPHS / "hops_data.mlir").read_text()
    spoiled = text.replace("scf.if %reached {", "%never = arith.constant false\n  scf.if %never {")
    assert spoiled != text
    program = chain(spoiled, 2, timeout_s=2)  # long for a thread that only lacks a core
    y = np.full(1, -1, np.int32)
    program.bind(x=np.zeros(1, np.int32), y=y)
    begin = time.monotonic()
    with pytest.raises(WatchdogError) as error:
        program.step()
    assert time.monotonic() - begin < 30
    wait = error.value.wait
    # The second task got its value and kept it; the third, and the fourth on the other worker,
    # begin to wait at the same time.
    assert (wait.launch, wait.launch_name, wait.event_name) in ((2, "hop", "e1"), (3, "hop", "e2"))
    assert (wait.entry, wait.wanted) == (0, 1)


@pytest.mark.parametrize("name", ["hops_counter", "split_sum", "dispatch"])
def test_the_other_example_graphs_run_on_threads(name):
    module = _etc.Module.parse(_etc.Context(), (GRAPHS / f"{name}.mlir").read_text())
    if name == "hops_counter":
        module.run("pipeline-events,pipeline-schedule{workers=2}")
    module.run("pipeline-persistent")
    program = CpuProgram(module)
    if name == "hops_counter":
        x = np.zeros(1, np.int32)
        program.bind(x=x)
        for step in range(1, 20):
            program.step()
            assert x[0] == step * (HOPS + 1)
    elif name == "dispatch":
        for n in (1, 2, 4096):
            program.step({"n": n})
    else:
        a, c = np.random.default_rng(0).random((100, 128), np.float32), np.zeros(100, np.float32)
        program.bind(A=a, C=c)
        program.step({"n": 100})
        np.testing.assert_allclose(c, a.sum(1), rtol=1e-5)
