# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The GPU runtime against a driver that is not there: what it refuses, uploads and reports."""

from __future__ import annotations

import ctypes
import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from gpu_fake import Driver, install

from etc_mlir.errors import OptionError, TargetError, WatchdogError
from etc_mlir.package import Package
from etc_mlir.runtime import launch as runtime
from etc_mlir.runtime.abi import EtcContext, EtcStatus
from etc_mlir.trace import RECORD

WORKERS = 3
TABLES: dict[str, Any] = {
    "name": "g",
    "kernel": "g_worker",
    "threads": 288,
    "shared_bytes": 2048,
    "symbols": [{"name": "n", "min": 1, "max": 8}],
    "buffers": [
        {"name": "x", "role": "input", "shape": [{"symbol": 0}, 4], "offset": 0},
        {"name": "w", "role": "weight", "shape": [4], "offset": 0},
        {"name": "t", "role": "scratch", "shape": [{"symbol": 0}], "offset": 256},
    ],
    "launch_names": ["first", "second"],
    "launch_width": 3,
    "launches": [0, 0, -1, 1, 2, 0],
    "event_names": ["e"],
    "events": [0, 0, 4, 1],
    "counter_words": 1,
    "scratch_bytes": 512,
    "many_steps": True,
    "traced": True,
    "schedules": [
        {"bucket": [4], "policy": "list", "offsets": [0, 1], "runs": [0, 0, 1, 2]},
        {"bucket": [8], "policy": "list", "offsets": [0, 1, 2, 2], "runs": [0, 0, 1, 2] * 2},
    ],
}
for buffer in TABLES["buffers"]:
    buffer.update(layout="row_major", element="f32")
PACKAGE = Package(TABLES, b"machine code")


@pytest.fixture
def driver(monkeypatch):
    return install(monkeypatch)


def words(address: int, count: int, kind: Any = ctypes.c_int64) -> list[int]:
    return list((kind * count).from_address(address))


def test_workers_that_cannot_all_be_resident_are_refused(driver):
    driver.per_sm = 0
    with pytest.raises(
        TargetError, match="3 workers, but only 0 blocks can be resident on a small"
    ):
        runtime.Program(PACKAGE)
    assert not driver.launches


def test_the_driver_says_what_it_refused(driver):
    tables = {**TABLES, "shared_bytes": 300000}
    with pytest.raises(TargetError, match="cuFuncSetAttribute: invalid argument"):
        runtime.Program(dataclasses.replace(PACKAGE, tables=tables))


def test_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TargetError, match="no CUDA device: PyTorch sees none"):
        runtime.Program(PACKAGE)


def test_a_gpu_of_another_architecture_or_without_bindings(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(runtime, "driver", None)
    with pytest.raises(TargetError, match="cuda-bindings is not installed"):
        runtime.Program(PACKAGE)
    monkeypatch.setattr(runtime, "driver", Driver())
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "an older GPU")
    with pytest.raises(TargetError, match=r"package is for sm_90a, an older GPU is sm_80"):
        runtime.Program(PACKAGE)


def test_what_a_launch_uploads(driver):
    program = runtime.Program(PACKAGE, timeout_s=2)
    weight = torch.arange(4.0)
    program.bind({"w": weight})
    seen = []

    def kernel(context: EtcContext) -> None:
        (n,), (bucket,) = words(context.symbols, 1), words(context.bucket, 1)
        buffers = words(context.buffers, 3)
        runs = words(context.runs, 4, ctypes.c_int32)
        seen.append((n, bucket, buffers, runs, context.epoch, context.workers, context.timeout_ns))

    driver.kernel = kernel
    for n in (3, 8):
        x = torch.zeros(n, 4)
        program.run({"x": x}, {"n": n})
        scratch = program.scratch.data_ptr() + 256
        assert seen[-1][:3] == (n, 4 if n == 3 else 8, [x.data_ptr(), weight.data_ptr(), scratch])
    assert [s[3:] for s in seen] == [
        ([0, 0, 1, 2], 1, 1, 2 * 10**9),
        ([0, 0, 1, 2], 2, 3, 2 * 10**9),
    ]
    kernel_name, *grid = driver.launches[-1][:7]
    assert kernel_name == "handle" and grid == [3, 1, 1, 288, 1, 1]


@pytest.mark.parametrize(
    ("tensors", "symbols", "message"),
    [
        ({"x": torch.zeros(3, 4)}, {"n": 9}, "n = 9 is outside 1 to 8"),
        ({"x": torch.zeros(2, 4)}, {"n": 3}, r"'x' is \[3, 4\] and contiguous, got \[2, 4\]"),
        ({"x": torch.zeros(4, 3).T}, {"n": 3}, r"strides \[1, 3\]"),
        (
            {"x": torch.zeros(3, 4, dtype=torch.int32)},
            {"n": 3},
            r"'x' is f32 on cpu, got torch.int",
        ),
        ({}, {"n": 3}, r"buffer 'x' \(input\) is not bound"),
    ],
)
def test_steps_that_are_refused(driver, tensors, symbols, message):
    program = runtime.Program(PACKAGE)
    program.bind({"w": torch.zeros(4)})
    with pytest.raises(OptionError, match=message):
        program.run(tensors, symbols)
    with pytest.raises(OptionError, match="no buffer 'v'"):
        program.bind({"v": torch.zeros(1)})
    assert not driver.launches


def test_watchdog_report_and_the_step_after_it(driver):
    program = runtime.Program(PACKAGE, timeout_s=2)
    program.bind({"w": torch.zeros(4)})

    def stuck(context: EtcContext) -> None:
        words(context.counters, 1, ctypes.c_int32)
        ctypes.c_int32.from_address(context.counters).value = 3
        status = EtcStatus(2, 1, 1, 5, 0, 7, 3, 4)
        ctypes.memmove(context.status, bytes(status), ctypes.sizeof(status))

    driver.kernel = stuck
    with pytest.raises(WatchdogError, match=r"worker 1, task 5 of launch 1 \(second\)") as error:
        program.run({"x": torch.zeros(1, 4)}, {"n": 1})
    assert (error.value.wait.seen, error.value.wait.wanted, error.value.wait.event_name) == (
        3,
        4,
        "e",
    )
    driver.kernel = lambda context: None
    program.run({"x": torch.zeros(1, 4)}, {"n": 1})
    assert program.epoch == 1 and not program.counters.any()


def test_a_kernel_that_records_nothing(driver):
    package = dataclasses.replace(PACKAGE, tables={**PACKAGE.tables, "traced": False})
    with pytest.raises(OptionError, match="cannot record its tasks: compile it with --trace"):
        runtime.Program(package, trace_capacity=2)


def test_trace(driver):
    program = runtime.Program(PACKAGE, trace_capacity=2)
    program.bind({"w": torch.zeros(4)})

    def kernel(context: EtcContext) -> None:
        assert context.trace_capacity == 2
        record = np.array([(10, 30, 0, 0), (40, 0, 1, 1)], RECORD).tobytes()
        ctypes.memmove(context.trace + 2 * RECORD.itemsize, record, len(record))
        counts = (ctypes.c_int32 * WORKERS)(0, 2, 0)
        ctypes.memmove(context.trace_counts, counts, ctypes.sizeof(counts))

    driver.kernel = kernel
    program.run({"x": torch.zeros(8, 4)}, {"n": 8})
    trace = program.trace()
    assert [len(records) for records in trace.records] == [0, 2, 0]
    assert trace.kinds == ["first", "second"]
    assert trace.records[1]["end_ns"].tolist() == [30, 0]
    assert "second" in trace.to_json()


def test_steps_prepared_at_once(driver):
    """Each has its own tensors, schedule and epoch; one upload serves them all."""
    program = runtime.Program(PACKAGE)
    program.bind({"w": torch.zeros(4)})
    seen = []
    driver.kernel = lambda context: seen.append(
        (context.epoch, context.workers, words(context.buffers, 1), words(context.symbols, 1))
    )
    given = [torch.zeros(n, 4) for n in (2, 8, 3)]
    program.prepare_all([({"x": x}, {"n": len(x)}) for x in given])
    for _ in given:
        program.launch()
    assert seen == [
        (epoch, 3 if len(x) == 8 else 1, [x.data_ptr()], [len(x)])
        for epoch, x in enumerate(given, 1)
    ]
    with pytest.raises(OptionError, match="no step is prepared"):
        program.launch()
    with pytest.raises(OptionError, match="n = 9"):
        program.prepare_all([({"x": given[0]}, {"n": 2}), ({"x": given[0]}, {"n": 9})])
    assert program.epoch == 3


def test_what_was_not_launched_has_no_epoch(driver):
    """Counters have had the steps that ran: those prepared in vain are not missed."""
    program = runtime.Program(PACKAGE)
    program.bind({"w": torch.zeros(4)})
    seen = []
    driver.kernel = lambda context: seen.append((context.epoch, context.steps))
    steps = [({"x": torch.zeros(2, 4)}, {"n": 2})] * 5
    program.prepare_all(steps, per_launch=2)
    program.launch()
    program.prepare_all(steps)
    program.launch()
    program.prepare(*steps[0])
    program.launch()
    assert seen == [(1, 2), (3, 1), (4, 1)] and program.epoch == 4
    with pytest.raises(OptionError, match="0 steps, 1 in a launch"):
        program.prepare_all([])
    with pytest.raises(OptionError, match="5 steps, 0 in a launch"):
        program.prepare_all(steps, per_launch=0)


def test_several_steps_a_launch(driver):
    """The contexts of a launch lie at equal distances and say how many follow; the last launch may
    be shorter."""
    program = runtime.Program(PACKAGE)
    program.bind({"w": torch.zeros(4)})
    seen = []

    def kernel(context: EtcContext) -> None:
        at = ctypes.addressof(context)
        steps = [EtcContext.from_address(at + i * context.step_bytes) for i in range(context.steps)]
        seen.append([(step.epoch, step.steps, words(step.symbols, 1)[0]) for step in steps])

    driver.kernel = kernel
    given = [torch.zeros(n, 4) for n in (2, 8, 3, 1, 5)]
    steps = [({"x": x}, {"n": len(x)}) for x in given]
    program.prepare_all(steps, per_launch=3)
    program.launch()
    program.launch()
    assert seen == [[(1, 3, 2), (2, 2, 8), (3, 1, 3)], [(4, 2, 1), (5, 1, 5)]]
    with pytest.raises(OptionError, match="no step is prepared"):
        program.launch()
    one = dataclasses.replace(PACKAGE, tables={**PACKAGE.tables, "many_steps": False})
    with pytest.raises(OptionError, match="5 steps in one launch, but no event orders"):
        runtime.Program(one).prepare_all(steps, per_launch=5)


def test_the_steps_of_a_launch_have_the_same_weights(driver):
    program = runtime.Program(PACKAGE)
    steps = [({"x": torch.zeros(2, 4), "w": torch.zeros(4)}, {"n": 2}) for _ in range(2)]
    program.prepare_all(steps)
    with pytest.raises(OptionError, match="weight 'w' is another tensor than in the first step"):
        program.prepare_all(steps, per_launch=2)
    program.prepare_all([steps[0], steps[0]], per_launch=2)


def test_a_new_start_forgets_epochs(driver):
    program = runtime.Program(PACKAGE)
    program.scratch.fill_(7)
    program.rearm()
    assert not program.scratch.any() and program.epoch == 0
