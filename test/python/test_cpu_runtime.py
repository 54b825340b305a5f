# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The split row sum through every pass and on real threads: events, banks, epochs, the watchdog."""

from __future__ import annotations

import numpy as np
import pytest

from etc_mlir import _etc
from etc_mlir.errors import OptionError, WatchdogError
from etc_mlir.runtime_cpu import EPOCHS, CpuProgram

MOST = 256
# Four partial sums a row, then their sum; %n is symbolic or static.
SPLIT_SUM = """
task.func @partial(%i: index, %j: index,
                   %a: memref<@ROWS@x32xf32, strided<[128, 1], offset: ?>>,
                   %b: memref<@ROWS@x1xf32, strided<[4, 1], offset: ?>>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%b : memref<@ROWS@x1xf32, strided<[4, 1], offset: ?>>)
  linalg.generic {
    indexing_maps = [affine_map<(r, c, k) -> (r, k)>, affine_map<(r, c, k) -> (r, c)>],
    iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%a : memref<@ROWS@x32xf32, strided<[128, 1], offset: ?>>)
    outs(%b : memref<@ROWS@x1xf32, strided<[4, 1], offset: ?>>) {
  ^bb0(%x: f32, %acc: f32):
    %s = arith.addf %x, %acc : f32
    linalg.yield %s : f32
  }
  task.return
}
task.func @final(%i: index, %b: memref<@ROWS@x4xf32, strided<[4, 1], offset: ?>>,
                 %c: memref<@ROWS@xf32, strided<[1], offset: ?>>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%c : memref<@ROWS@xf32, strided<[1], offset: ?>>)
  linalg.generic {
    indexing_maps = [affine_map<(r, k) -> (r, k)>, affine_map<(r, k) -> (r)>],
    iterator_types = ["parallel", "reduction"]}
    ins(%b : memref<@ROWS@x4xf32, strided<[4, 1], offset: ?>>)
    outs(%c : memref<@ROWS@xf32, strided<[1], offset: ?>>) {
  ^bb0(%x: f32, %acc: f32):
    %s = arith.addf %x, %acc : f32
    linalg.yield %s : f32
  }
  task.return
}
task.graph @split_sum symbols [@SYMBOLS@] {
  %A = task.argument "A" input shape affine_map<()@S@ -> (@N@, 128)> : memref<@DIM@x128xf32>
  %C = task.argument "C" output shape affine_map<()@S@ -> (@N@)> : memref<@DIM@xf32>
  %B = task.scratch "B" shape affine_map<()@S@ -> (@N@, 4)> at 0 : memref<@DIM@x4xf32>
  %E = event.create "partial" shape affine_map<()@S@ -> (@BLOCKS@)>
    count affine_map<()@S@ -> (4)> reuse(@REUSE@) : !event.tensor<@ENTRIES@>
  task.launch @partial grid(()@S@ -> (@BLOCKS@, 4))
    reads(%A at <(i, j) -> (i * 32, j * 32) sizes [32, 32]> : memref<@DIM@x128xf32>)
    writes(%B at <(i, j) -> (i * 32, j) sizes [32, 1]> : memref<@DIM@x4xf32>)
    waits() notifies(%E at (i, j) -> (i) : !event.tensor<@ENTRIES@>)
  task.launch @final grid(()@S@ -> (@BLOCKS@))
    reads(%B at <(i) -> (i * 32, 0) sizes [32, *]> : memref<@DIM@x4xf32>)
    writes(%C at <(i) -> (i * 32) sizes [32]> : memref<@DIM@xf32>)
    waits(%E at (i) -> (i) guards 0 : !event.tensor<@ENTRIES@>) notifies()
}
"""


def _text(rows: int | None) -> str:
    """The graph for a static number of rows (monotonic events) or a symbolic one (banked)."""
    words = {
        "ROWS": "?" if rows is None else "32",
        "SYMBOLS": f'#task.symbol<"n", 1 to {MOST}>' if rows is None else "",
        "S": "[n]" if rows is None else "",
        "N": "n" if rows is None else str(rows),
        "DIM": "?" if rows is None else str(rows),
        "BLOCKS": "n ceildiv 32" if rows is None else str(rows // 32),
        "ENTRIES": "?" if rows is None else str(rows // 32),
        "REUSE": "banked" if rows is None else "monotonic",
    }
    text = SPLIT_SUM
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text


def _build(workers: int, rows: int | None = None, **options: float) -> CpuProgram:
    module = _etc.Module.parse(_etc.Context(), _text(rows), "split_sum.mlir")
    buckets = " buckets=64,256" if rows is None else ""
    module.run(f"pipeline-schedule{{workers={workers}{buckets}}}", phase="schedule")
    module.run("pipeline-persistent", phase="persistent")
    return CpuProgram(module, **options)  # pyright: ignore[reportArgumentType]


def _step(
    program: CpuProgram, rng: np.random.Generator, rows: int, *, static: bool = False
) -> None:
    """A step on fresh input; every output element must be written, and no other."""
    a = rng.standard_normal((rows, 128)).astype(np.float32)
    c = np.full(MOST, np.nan, np.float32)
    program._scratch.view(np.float32)[:] = np.nan
    program.bind(A=a, C=c)
    program.step({} if static else {"n": rows})
    np.testing.assert_allclose(c[:rows], a.sum(axis=1), rtol=1e-5, atol=1e-4)
    assert np.isnan(c[rows:]).all()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_extents_change_from_step_to_step(workers: int, rng: np.random.Generator) -> None:
    program = _build(workers)
    for rows in [192, 96, 192, 1, 33, 256, 64, 65, 31, 32]:
        _step(program, rng, rows)
    for rows in rng.integers(1, MOST + 1, 40).tolist():
        _step(program, rng, rows)


@pytest.mark.parametrize("workers", [1, 3, 8])
@pytest.mark.parametrize("rows", [None, 192])
def test_epoch_wraps(workers: int, rows: int | None, rng: np.random.Generator) -> None:
    program = _build(workers, rows)
    program.set_epoch(EPOCHS - 3)
    for _ in range(6):
        _step(program, rng, rows or 192, static=rows is not None)
    assert program.epoch == 3


def test_banks_alternate_and_the_next_one_is_clear(rng: np.random.Generator) -> None:
    program = _build(2)
    ((offset, stride, per_epoch, entries),) = program.events.tolist()
    assert (offset, stride, per_epoch, entries) == (0, 8, 0, 8)
    for rows in (256, 40, 200):
        _step(program, rng, rows)
        used, other = program.epoch % 2, 1 - program.epoch % 2
        blocks = -(-rows // 32)
        bank = program.counters.reshape(2, 8)
        assert bank[used].tolist() == [4] * blocks + [0] * (8 - blocks)
        assert not bank[other].any()


@pytest.mark.parametrize("workers", [1, 2, 8])
@pytest.mark.parametrize("rows", [None, 192])
def test_watchdog_names_the_wait_and_the_next_step_works(
    workers: int, rows: int | None, rng: np.random.Generator
) -> None:
    program = _build(workers, rows, timeout_s=3)
    static = rows is not None
    _step(program, rng, 192, static=static)
    # The last task of the first launch does not run, so its notify is missing.
    schedule = program.schedules[-1]
    run = max((r for r in schedule.runs if r[0] == 0), key=lambda r: int(r[1] + r[2] * (r[3] - 1)))
    task = int(run[1] + run[2] * (run[3] - 1))
    run[3] -= 1
    block = task // 4
    with pytest.raises(WatchdogError) as error:
        _step(program, rng, 192 if static else 256, static=static)
    run[3] += 1
    wait = error.value.wait
    assert (wait.launch_name, wait.task, wait.event_name, wait.entry) == (
        "final",
        block,
        "partial",
        block,
    )
    wanted = 8 if static else 4
    assert (wait.seen, wait.wanted) == (wanted - 1, wanted)
    assert 0 <= wait.worker < workers
    assert "waited 3 s" in str(error.value) and "final" in str(error.value)
    for _ in range(3):
        _step(program, rng, 192, static=static)


def test_trace_has_every_task_once(rng: np.random.Generator) -> None:
    program = _build(3, trace_capacity=64)
    _step(program, rng, 96)
    records = program.trace()
    ran = sorted((int(r["launch"]), int(r["task"])) for worker in records for r in worker)
    assert ran == [(0, t) for t in range(12)] + [(1, t) for t in range(3)]
    for worker in records:
        assert (worker["end_ns"] >= worker["begin_ns"]).all() and (worker["begin_ns"] > 0).all()


def test_a_full_trace_keeps_what_fits(rng: np.random.Generator) -> None:
    program = _build(1, trace_capacity=2)
    _step(program, rng, 96)
    assert [len(worker) for worker in program.trace()] == [2]


def test_a_step_refuses_what_it_cannot_run(rng: np.random.Generator) -> None:
    program = _build(1)
    with pytest.raises(OptionError, match="buffer 'A' \\(input\\) is not bound"):
        program.step({"n": 4})
    with pytest.raises(OptionError, match="no buffer 'X'"):
        program.bind(X=np.zeros(4, np.float32))
    with pytest.raises(OptionError, match="contiguous and of 4 bytes"):
        program.bind(A=np.zeros((4, 128), np.float64))
    with pytest.raises(OptionError, match="n = 257 is outside"):
        program.step({"n": 257})
    with pytest.raises(OptionError, match="needs the extents"):
        program.step({"m": 4})
    program.bind(A=np.zeros((4, 128), np.float32), C=np.zeros(4, np.float32))
    with pytest.raises(OptionError, match="buffer 'A' has 2048 bytes, this step needs 2560"):
        program.step({"n": 5})


def test_layout_of_the_abi() -> None:
    import ctypes

    from etc_mlir.runtime import abi

    structs = (abi.EtcContext, abi.EtcStatus, abi.EtcTraceRecord)
    assert tuple(ctypes.sizeof(s) for s in structs) == _etc.ABI_SIZES
    assert abi.ABI_VERSION == _etc.ABI_VERSION
    assert abi.EtcContext.epoch.offset == 96
