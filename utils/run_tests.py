#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Run the tests and close with one line of counts.

    utils/run_tests.py                the lot
    utils/run_tests.py lit pytest     some stages: lit, unit, pytest, lint

Every stage streams what it prints, and none may run for ever. The environment (PATH, PYTHONPATH)
is the Makefile's.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
STAGE_TIMEOUT_S = 3600


@dataclass(frozen=True)
class Counts:
    """How many tests passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0


def run(command: Sequence[str], timeout_s: float = STAGE_TIMEOUT_S) -> tuple[int, str]:
    """Runs `command` in the root, prints its output as it comes; its exit status and output."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    expired = threading.Event()

    def end() -> None:
        expired.set()
        os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(timeout_s, end)
    timer.start()
    lines: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        lines.append(line)
    status = process.wait()
    timer.cancel()
    if expired.is_set():
        lines.append(f"ended after {timeout_s:.0f} s\n")
        print(lines[-1], end="", flush=True)
    return status, "".join(lines)


def count_lit(output: str) -> Counts:
    """The counts in lit's closing table."""
    rows = re.findall(r"^  ([A-Z][\w ]+?) *: +(\d+)", output, re.M)
    found = {name: int(n) for name, n in rows}
    passed = found.get("Passed", 0) + found.get("Passed With Retry", 0)
    skipped = found.get("Unsupported", 0) + found.get("Expectedly Failed", 0)
    failed = sum(found.values()) - passed - skipped - found.get("Excluded", 0)
    return Counts(passed, failed, skipped)


def count_pytest(output: str) -> Counts:
    """The counts in pytest's closing line."""
    closing = [line for line in output.splitlines() if re.search(r" in [\d.]+s", line)]
    found = {
        word: int(n) for n, word in re.findall(r"(\d+) ([a-z]+)", closing[-1] if closing else "")
    }
    return Counts(
        passed=found.get("passed", 0) + found.get("xfailed", 0),
        failed=found.get("failed", 0) + found.get("error", 0) + found.get("errors", 0),
        skipped=found.get("skipped", 0),
    )


def counted(command: Sequence[str], count: Callable[[str], Counts]) -> Counts:
    """Runs a test runner. One that fails without a count counts as one failure."""
    status, output = run(command)
    counts = count(output)
    if (status != 0 and counts.failed == 0) or counts == Counts():
        return Counts(counts.passed, counts.failed + 1, counts.skipped)
    return counts


def stage_lit() -> Counts:
    return counted(["lit", "-sv", str(BUILD / "test" / "lit")], count_lit)


def stage_unit() -> Counts:
    """Every program in build/test/unit is one test."""
    programs = sorted((BUILD / "test" / "unit").glob("*-test"))
    failed = sum(run([str(program)])[0] != 0 for program in programs)
    return Counts(len(programs) - failed, failed)


def stage_pytest() -> Counts:
    return counted([sys.executable, "-m", "pytest", "-q"], count_pytest)


LINTERS: dict[str, list[str]] = {
    "ruff": ["ruff", "check", "--output-format", "concise", "."],
    "ruff format": ["ruff", "format", "--check", "--quiet", "."],
    "pyright": ["pyright", "--pythonpath", sys.executable],
    "check_tests": [sys.executable, "utils/check_tests.py"],
    "gen_docs": [sys.executable, "utils/gen_docs.py", "--check"],
    "results_table": [sys.executable, "utils/results_table.py", "--check"],
}


def stage_lint() -> Counts:
    failed = []
    for name, command in LINTERS.items():
        print(f"--- {name}", flush=True)
        if run(command)[0] != 0:
            failed.append(name)
    if failed:
        print(f"lint: failed: {', '.join(failed)}")
    return Counts(len(LINTERS) - len(failed), len(failed))


STAGES: dict[str, Callable[[], Counts]] = {
    "lint": stage_lint,
    "lit": stage_lit,
    "unit": stage_unit,
    "pytest": stage_pytest,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"any of {', '.join(STAGES)}")
    names = parser.parse_args().stages or list(STAGES)
    if unknown := set(names) - set(STAGES):
        parser.error(f"no such stage: {', '.join(sorted(unknown))}")
    results: dict[str, tuple[Counts, float]] = {}
    for name in names:
        print(f"\n=== {name}", flush=True)
        start = time.monotonic()
        results[name] = STAGES[name](), time.monotonic() - start
    print("\n=== summary")
    for name, (counts, seconds) in results.items():
        print(
            f"{name:8} {counts.passed:5} passed {counts.failed:5} failed "
            f"{counts.skipped:5} skipped {seconds:7.1f} s"
        )
    total = [
        sum(getattr(c, kind) for c, _ in results.values())
        for kind in ("passed", "failed", "skipped")
    ]
    print("All is well." if total[1] == 0 else "Something failed: see the lines above.")
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return int(total[1] != 0)


if __name__ == "__main__":
    sys.exit(main())
