# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Several steps in one launch: what a step gives is what the next one reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import etc_mlir
from etc_mlir import _etc
from etc_mlir.cpu_engine import CpuEngine
from etc_mlir.errors import OptionError, WatchdogError
from etc_mlir.runtime_cpu import CpuProgram

TINY = Path(__file__).parents[1] / "data" / "tiny-qwen3"

# Each step adds one to each of n elements, twice, through scratch memory.
COUNT = """
#first = affine_map<(d) -> (d)>
task.func @inc(%i: index, %x: memref<1xi64, strided<[1], offset: ?>>,
               %y: memref<1xi64, strided<[1], offset: ?>>) {
  linalg.generic {indexing_maps = [#first, #first], iterator_types = ["parallel"]}
    ins(%x : memref<1xi64, strided<[1], offset: ?>>)
    outs(%y : memref<1xi64, strided<[1], offset: ?>>) {
  ^bb0(%a: i64, %b: i64):
    %one = arith.constant 1 : i64
    %s = arith.addi %a, %one : i64
    linalg.yield %s : i64
  }
  task.return
}
task.graph @count symbols [#task.symbol<"n", 1 to 16>] {
  %x = task.argument "x" input shape affine_map<()[n] -> (n)> : memref<?xi64>
  %h = task.scratch "h" shape affine_map<()[n] -> (n)> : memref<?xi64>
  %y = task.argument "y" output shape affine_map<()[n] -> (n)> : memref<?xi64>
  task.launch @inc grid(()[n] -> (n)) reads(%x at <(i) -> (i) sizes [1]> : memref<?xi64>)
    writes(%h at <(i) -> (i) sizes [1]> : memref<?xi64>) waits() notifies()
  task.launch @inc grid(()[n] -> (n)) reads(%h at <(i) -> (0) sizes [1]> : memref<?xi64>)
    writes(%y at <(i) -> (i) sizes [1]> : memref<?xi64>) waits() notifies()
}
"""


def build(text: str, workers: int, *, steps: bool = True, **options: float) -> CpuProgram:
    module = _etc.Module.parse(_etc.Context(), text)
    module.run(f"pipeline-events{{steps={str(steps).lower()}}}")
    module.run(f"pipeline-schedule{{workers={workers} buckets=4,16}}")
    module.run("pipeline-persistent")
    return CpuProgram(module, **options)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_a_step_reads_what_the_one_before_wrote(workers):
    program = build(COUNT, workers)
    for launch, sizes in enumerate([(6, 3, 6, 16, 1, 16), (1,), (16,) * 50, (2, 16)]):
        tokens = np.full((len(sizes) + 1, 16), -1, np.int64)
        tokens[0] = launch
        program.launch(
            [({"n": n}, {"x": tokens[i], "y": tokens[i + 1]}) for i, n in enumerate(sizes)]
        )
        wanted = np.full_like(tokens, -1)
        wanted[0] = launch
        for i, n in enumerate(sizes):
            # Every element is the first of the step before, and 2.
            wanted[i + 1, :n] = wanted[i, 0] + 2
        np.testing.assert_array_equal(tokens, wanted)


def test_epochs_wrap_between_the_steps_of_a_launch():
    program = build(COUNT, 2)
    program.set_epoch(2**32 - 3)
    tokens = np.zeros((8, 16), np.int64)
    program.launch([({"n": 16}, {"x": tokens[i], "y": tokens[i + 1]}) for i in range(7)])
    np.testing.assert_array_equal(tokens[:, 0], 2 * np.arange(8))


def test_a_program_for_one_step_refuses_several():
    program = build(COUNT, 2, steps=False)
    x = np.zeros(16, np.int64)
    step = ({"n": 16}, {"x": x, "y": x.copy()})
    program.launch([step])
    with pytest.raises(OptionError, match="order-steps"):
        program.launch([step, step])


def test_a_step_that_never_ends_ends_the_launch():
    """Nobody notifies: who waits reports the event, and no later step begins."""
    module = _etc.Module.parse(_etc.Context(), COUNT)
    module.run("pipeline-events{steps=true}")
    module.run("pipeline-schedule{workers=2 buckets=16},pipeline-persistent")
    lines = str(module).splitlines()
    joins = [i for i, line in enumerate(lines) if "task.join " in line]
    notify = next(i for i in range(joins[0], len(lines)) if "event.notify" in lines[i])
    del lines[notify]
    program = CpuProgram(_etc.Module.parse(_etc.Context(), "\n".join(lines)), timeout_s=0.2)
    tokens = np.zeros((4, 16), np.int64)
    steps = [({"n": 16}, {"x": tokens[i], "y": tokens[i + 1]}) for i in range(3)]
    with pytest.raises(WatchdogError) as caught:
        program.launch(steps)
    assert caught.value.wait.event_name == "step"
    assert (tokens[1] == 2).all() and (tokens[2] == 0).all()


def test_greedy_tokens_of_a_launch_are_those_of_single_steps():
    """Two ragged sequences: every step reads the tokens that the one before chose, and the cache
    rows that it appended."""
    model = etc_mlir.compile(TINY, workers=3, max_batch=2, max_seq=64)
    engine = model.engine
    assert isinstance(engine, CpuEngine)
    rows = [model.cache.admit(48) for _ in range(2)]
    seq, pos = [rows[0]] * 5 + [rows[1]] * 3, [0, 1, 2, 3, 4, 0, 1, 2]
    first = model.step([72, 101, 32, 97, 99, 84, 104, 101], seq, pos, [4, 7])

    def run(per_launch: int) -> np.ndarray:
        count, own = 24, np.array(rows)
        tokens = np.zeros((count + 1, 2), np.int64)
        tokens[0] = first
        places = np.arange(count)[:, None] + np.array([5, 3])
        memory = [
            {"ids": tokens[i], "pos": places[i], "seq": own, "rows": np.arange(2)}
            | {"block_table": model.cache.table, "tokens": tokens[i + 1]}
            for i in range(count)
        ]
        steps = [({"T": 2, "R": 2}, own) for own in memory]
        for begin in range(0, count, per_launch):
            engine.runtime.launch(steps[begin : begin + per_launch])
        return tokens

    wanted = run(1)
    assert len(np.unique(wanted)) > 4, "the same tokens over and over say nothing"
    np.testing.assert_array_equal(run(24), wanted)
    np.testing.assert_array_equal(run(5), wanted)
