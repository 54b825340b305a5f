#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Write the tables of README.md from benchmarks/results/*.json; --check fails if they are stale.

A file holds one record or a list of them. README.md has a table between `<!-- results: PREFIX -->`
and `<!-- end of results -->`: the records of the files whose name starts with PREFIX.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
README = ROOT / "README.md"
KEYS = [
    "name",
    "median_ms",
    "min_ms",
    "max_ms",
    "n",
    "warmup",
    "bytes",
    "floor_ms",
    "ceiling_tbps",
    "device",
    "driver",
    "date",
    "commit",
    "command",
    "notes",
]
SECTION = re.compile(r"(<!-- results: (\S*) -->\n).*?(<!-- end of results -->)", re.S)


def read_records(prefix: str) -> list[dict[str, Any]]:
    """The records of the files that start with `prefix`; every record has every key."""
    records: list[dict[str, Any]] = []
    for path in sorted(RESULTS.glob(f"{prefix}*.json")):
        content = json.loads(path.read_text())
        for record in content if isinstance(content, list) else [content]:
            if missing := [key for key in KEYS if key not in record]:
                raise SystemExit(f"{path.name}: a record lacks {', '.join(missing)}")
            records.append(record)
    return records


def duration(ms: float | None) -> str:
    """Milliseconds with a unit that suits them; empty for None."""
    if ms is None:
        return ""
    for unit, scale in (("ms", 1.0), ("us", 1e3)):
        if ms * scale >= 1:
            return f"{ms * scale:.3g} {unit}"
    return f"{ms * 1e6:.3g} ns"


def table(prefix: str) -> str:
    """The Markdown of the records of one prefix."""
    records = read_records(prefix)
    if not records:
        return "No results are recorded yet.\n"
    rows = [
        "| what | device | median | min .. max | runs | floor | floor/median | commit |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in records:
        floor = r["floor_ms"]
        share = f"{100 * floor / r['median_ms']:.0f} %" if floor else ""
        middle, low, high = (duration(r[key]) for key in ("median_ms", "min_ms", "max_ms"))
        rows.append(
            f"| {r['name']} | {r['device']} | {middle} | {low} .. {high} | {r['n']} after "
            f"{r['warmup']} | {duration(floor)} | {share} | `{r['commit'][:9]}` |"
        )
    notes = [f"- {r['name']}: {r['notes']}" for r in records if r["notes"]]
    commands = sorted({f"    {r['command']}" for r in records})
    return "\n".join(
        [*rows, "", *notes, *([""] if notes else []), "Measured with", "", *commands, ""]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the tables of README.md.")
    parser.add_argument("--check", action="store_true", help="only fail if a table is stale")
    check = parser.parse_args().check
    old = README.read_text()
    new = SECTION.sub(lambda m: m.group(1) + table(m.group(2)) + m.group(3), old)
    if not SECTION.search(old):
        raise SystemExit("README.md has no <!-- results: PREFIX --> section")
    if not check:
        README.write_text(new)
    stale = check and new != old
    print(
        "results_table: README.md is "
        + ("stale: run `make docs` and commit" if stale else "current")
    )
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
