# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random task graphs: their events verified by enumeration, their results compared on threads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import Program, programs

from etc_mlir import _etc
from etc_mlir.errors import CompileError
from etc_mlir.runtime_cpu import CpuProgram

EVENTS = {
    "inferred": "infer-events",
    "fused": "infer-events,fuse-events",
    "normalized": "infer-events,fuse-events,normalize-events",
    "linearized": "infer-events,fuse-events,linearize-tasks",
}


def _with_events(program: Program, events: str) -> _etc.Module:
    """The program with verified events."""
    module = _etc.Module.parse(_etc.Context(), program.text(), "random.mlir")
    pipeline = ",".join(
        name if name == "linearize-tasks" else f"task.graph({name})"
        for name in EVENTS[events].split(",")
    )
    module.run(f"builtin.module({pipeline},task.graph(verify-events))", phase="events")
    return module


@settings(max_examples=40, deadline=None)
@given(programs(), st.sampled_from(sorted(EVENTS)))
def test_every_conflict_is_ordered(program: Program, events: str) -> None:
    _with_events(program, events)


@settings(max_examples=40, deadline=None)
@given(
    programs(),
    st.sampled_from(sorted(EVENTS)),
    st.sampled_from(["round-robin", "list"]),
    st.sampled_from([1, 2, 3, 8]),
    st.integers(0, 2**32 - 1),
)
def test_threads_agree_with_the_program_order(
    program: Program, events: str, policy: str, workers: int, seed: int
) -> None:
    module = _with_events(program, events)
    module.run(
        f"builtin.module(schedule-static{{workers={workers} policy={policy}}},verify-schedule)",
        phase="schedule",
    )
    module.run("pipeline-persistent", phase="persistent")
    cpu = CpuProgram(module, timeout_s=20)
    rng = np.random.default_rng(seed)
    buffers = [
        rng.standard_normal(program.extent).astype(np.float32) for _ in range(program.buffers)
    ]
    used = [b["name"] for b in cpu.buffers]
    for _ in range(3):  # A step starts from what the one before left.
        expected = program.reference(buffers)
        memory = {f"b{i}": b for i, b in enumerate(buffers) if f"b{i}" in used}
        cpu.bind_all(memory)
        cpu.step()
        for got, wanted in zip(buffers, expected, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_a_dropped_edge_is_found() -> None:
    """Without the second launch's events the two writers of one buffer meet."""
    text = Program(48, 2, ()).text()
    launch = (
        "  task.launch @fill grid(() -> (4)) reads()\n"
        "    writes(%b1 at <(i) -> (i * 12) sizes [12]> : memref<48xf32>) waits() notifies()\n"
    )
    body = "task.func private @fill(index, memref<12xf32, strided<[1], offset: ?>>)\n"
    module = _etc.Module.parse(_etc.Context(), body + text.replace("}\n", 2 * launch + "}\n"))
    with pytest.raises(CompileError, match=r"E9: .* writes what launch 0"):
        module.run("builtin.module(task.graph(verify-events))", phase="events")
