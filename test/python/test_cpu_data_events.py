# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Data event tensors on threads: the value crosses memory together with the epoch of its step."""

from __future__ import annotations

import numpy as np
import pytest

from etc_mlir import _etc
from etc_mlir.errors import OptionError, WatchdogError
from etc_mlir.runtime_cpu import EPOCHS, CpuProgram

# Launch 0 publishes A[task], launch 1 receives it into C[task]. The counter words before the data
# tensor belong to a counter that nothing uses: the tensor starts at an even word.
RELAY = """
func.func @relay_worker(%w: !task.worker) {
  %one = arith.constant 1 : index
  %begin, %end = task.runs %w
  scf.for %r = %begin to %end step %one {
    %launch, %kind, %first, %stride, %count = task.run %w[%r] width 3
    %length = arith.muli %stride, %count : index
    %last = arith.addi %first, %length : index
    scf.index_switch %kind
    case 0 {
      %a = task.operand %w launch %launch[1 of 3] () : memref<8xi32>
      %e = task.event %w launch %launch[2 of 3] () : !event.tensor<8, data>
      scf.for %t = %first to %last step %stride {
        task.mark %w launch %launch task %t
        %x = memref.load %a[%t] : memref<8xi32>
        event.publish %x, %e[%t] : !event.tensor<8, data>
        task.mark %w launch %launch task %t finished
      }
      scf.yield
    }
    case 1 {
      %c = task.operand %w launch %launch[1 of 3] () : memref<8xi32>
      %e = task.event %w launch %launch[2 of 3] () : !event.tensor<8, data>
      scf.for %t = %first to %last step %stride {
        task.mark %w launch %launch task %t
        %x, %ok = event.receive %e[%t] : !event.tensor<8, data>
        scf.if %ok {
          memref.store %x, %c[%t] : memref<8xi32>
        }
        task.mark %w launch %launch task %t finished
      }
      scf.yield
    }
    default {}
  }
  return
}
task.program @relay worker @relay_worker attributes {
  symbols = [],
  buffers = [#task.buffer<"A", input, row_major, memref<8xi32>, () -> (8), at 0>,
             #task.buffer<"C", output, row_major, memref<8xi32>, () -> (8), at 0>],
  launch_names = ["publish", "receive"], launch_width = 3 : i64,
  launches = array<i32: 0, 0, 1, 1, 1, 1>,
  event_names = ["unused", "values"], events = array<i32: 0, 0, 1, 1, 2, 0, 0, 8>,
  counter_words = 18 : i64, scratch_bytes = 0 : i64} {
  task.schedule @relay bucket [] policy "round-robin" offsets [0, 2, 3, 4]
    runs [1, 0, 2, 4, 0, 1, 2, 4, 1, 1, 2, 4, 0, 0, 2, 4]
}
"""


def build(**options: float) -> CpuProgram:
    module = _etc.Module.parse(_etc.Context(), RELAY, "relay.mlir")
    module.run("verify-persistent")
    return CpuProgram(module, "relay", **options)  # pyright: ignore[reportArgumentType]


def step(program: CpuProgram, rng: np.random.Generator) -> None:
    a = rng.integers(-(2**31), 2**31, 8).astype(np.int32)
    c = np.zeros(8, np.int32)
    program.bind(A=a, C=c)
    program.step()
    assert (c == a).all()


@pytest.mark.parametrize("before", [0, EPOCHS - 3])
def test_values_are_those_of_this_step(before: int) -> None:
    rng, program = np.random.default_rng(3), build()
    program.set_epoch(before)
    for _ in range(50):
        step(program, rng)
    assert program.epoch == (before + 50) % EPOCHS


def test_a_value_of_the_step_before_is_not_taken() -> None:
    # A bound that a thread does not reach which only lacks a core.
    rng, program = np.random.default_rng(4), build(timeout_s=3)
    step(program, rng)
    runs = program.schedules[0].runs
    (last,) = (r for r in runs if r[0] == 0 and r[1] == 0)
    last[3] -= 1
    with pytest.raises(WatchdogError) as error:
        step(program, rng)
    wait = error.value.wait
    # Task 6 keeps its worker from publishing entry 1: either of the two waits may report first.
    assert (wait.launch_name, wait.event_name) == ("receive", "values")
    assert wait.task == wait.entry and wait.task in (1, 6)
    assert (wait.seen, wait.wanted) == (1, 2)
    last[3] += 1
    step(program, rng)


def test_a_program_is_found_by_its_name() -> None:
    module = _etc.Module.parse(_etc.Context(), RELAY)
    with pytest.raises(OptionError, match="expected a program named 'other'"):
        CpuProgram(module, "other")
