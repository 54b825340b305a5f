# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`etc inspect`: launches, events, schedule and memory of a program, as tables."""

from __future__ import annotations

import argparse

from rich.table import Table

from etc_mlir.cli.console import folder, options, out, progress
from etc_mlir.program import Program, Schedule


def run(args: argparse.Namespace) -> int:
    wanted = options(args)
    from etc_mlir.compiler import inspect_program

    with progress() as report:
        program = inspect_program(args.model, wanted, keep=folder(args.keep), report=report)
    smallest, largest = program.schedules[0], program.schedules[-1]
    symbols = ", ".join(f"{name} {low}..{high}" for name, low, high in program.symbols)
    out.print(
        f"[bold]{program.name}[/bold]: {len(program.launches)} launches of {_kinds(program)} "
        f"kinds, {largest.workers} workers, symbols {symbols}\n"
    )
    for table in (
        launches(program, smallest, largest),
        events(program),
        schedules(program),
        load(program, smallest),
        memory(program),
    ):
        out.print(table)
    return 0


def _kinds(program: Program) -> int:
    return len(set(program.launches[:, 0].tolist()))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        left = column in ("body", "event", "buffers", "policy", "reuse", "worker")
        table.add_column(column, justify="left" if left else "right", overflow="fold")
    return table


def launches(program: Program, smallest: Schedule, largest: Schedule) -> Table:
    """One row per kind: launches of a kind run the same code."""
    table = _table(
        "Launches, by kind",
        "kind",
        "body",
        "launches",
        f"tasks at {_bucket(smallest)}",
        f"tasks at {_bucket(largest)}",
    )
    for kind in sorted(set(program.launches[:, 0].tolist())):
        rows = [i for i, k in enumerate(program.launches[:, 0].tolist()) if k == kind]
        counts = (sum(s.tasks(i) for i in rows) for s in (smallest, largest))
        table.add_row(str(kind), program.launch_names[rows[0]], str(len(rows)), *map(str, counts))
    return table


def events(program: Program) -> Table:
    table = _table("Event tensors", "row", "event", "entries", "reuse")
    for row, (_, stride, per_epoch, entries) in enumerate(program.events.tolist()):
        reuse = "banked" if stride else f"monotonic, {per_epoch} a step" if per_epoch else "data"
        table.add_row(str(row), program.event_names[row], str(entries), reuse)
    return table


def schedules(program: Program) -> Table:
    table = _table("Schedules", "bucket", "policy", "tasks", "runs", "least", "most")
    for schedule in program.schedules:
        loads = [int(schedule.of(w)[:, 3].sum()) for w in range(schedule.workers)]
        table.add_row(
            _bucket(schedule),
            schedule.policy,
            str(schedule.tasks()),
            str(len(schedule.runs)),
            str(min(loads)),
            str(max(loads)),
        )
    table.caption = "least, most: tasks of the least and the most loaded worker"
    return table


def load(program: Program, schedule: Schedule) -> Table:
    table = _table(f"Load at {_bucket(schedule)}", "worker", "tasks", "runs", "")
    most = max(int(schedule.of(w)[:, 3].sum()) for w in range(schedule.workers)) or 1
    for worker in range(schedule.workers):
        tasks = int(schedule.of(worker)[:, 3].sum())
        table.add_row(
            str(worker), str(tasks), str(len(schedule.of(worker))), "█" * round(24 * tasks / most)
        )
    return table


def memory(program: Program) -> Table:
    table = _table("Memory", "buffers", "count", "bytes")
    for role in dict.fromkeys(b.role for b in program.buffers):
        found = [b for b in program.buffers if b.role == role]
        size = (
            program.scratch_bytes
            if role == "scratch"
            else sum(b.bytes(program.largest) for b in found)
        )
        table.add_row(role, str(len(found)), f"{size:,}")
    table.add_row("counters", str(len(program.events)), f"{program.counter_words * 4:,}")
    apart = sum(b.bytes(program.largest) for b in program.buffers if b.role == "scratch")
    table.caption = f"scratch would be {apart:,} bytes if no buffer shared memory"
    return table


def _bucket(schedule: Schedule) -> str:
    return "x".join(map(str, schedule.bucket))
