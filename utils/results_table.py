#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Write the tables of README.md and docs/Ablations.md from benchmarks/results/*.json; --check fails
if they are stale.

A file holds one record or a list of them. README.md has a table between `<!-- results: PREFIX -->`
and `<!-- end of results -->`: the records of the files whose name starts with PREFIX, but those of
ablations, `ablation-GROUP-VARIANT`, which docs/Ablations.md has between `<!-- ablations: GROUP -->`
and the same end.
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
ABLATIONS = ROOT / "docs" / "Ablations.md"
ABLATION = "ablation-"
# Of the records of ablations, beside KEYS.
MORE_KEYS = ["variant", "what", "against", "agrees", "tokens"]
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
SECTION = re.compile(r"(<!-- (results|ablations): (\S*) -->\n).*?(<!-- end of results -->)", re.S)


def read_records(prefix: str) -> list[dict[str, Any]]:
    """The records of the files that start with `prefix`; every record has every key."""
    records: list[dict[str, Any]] = []
    for path in sorted(RESULTS.glob(f"{prefix}*.json")):
        is_ablation = path.name.startswith(ABLATION)
        if is_ablation and not prefix.startswith(ABLATION):
            continue
        content = json.loads(path.read_text())
        for record in content if isinstance(content, list) else [content]:
            keys = [*KEYS, *MORE_KEYS] if is_ablation else KEYS
            if missing := [key for key in keys if key not in record]:
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


def ablations(group: str) -> str:
    """The Markdown of the variants of one group: what each lacks, and what that costs."""
    found = {r["variant"]: r for r in read_records(f"{ABLATION}{group}-")}
    if not found:
        return "No results are recorded yet.\n"
    rows = [
        "| variant | what | a step | min .. max | against | times that | its tokens |",
        "|---|---|---|---|---|---|---|",
    ]
    order = sorted(found.values(), key=lambda r: (r["variant"] != "default", r["median_ms"]))
    for r in order:
        low, high = r["min_ms"], r["max_ms"]
        spread = "" if low is None or high is None else f"{low:.4f} .. {high:.4f}"
        base = found.get(r["against"])
        is_base = base is None or base is r
        times = "" if base is None or is_base else f"{r['median_ms'] / base['median_ms']:.3f}"
        agree = "all" if r["agrees"] == r["tokens"] else f"{r['agrees']} of {r['tokens']}"
        rows.append(
            f"| {r['variant']} | {r['what']} | {r['median_ms']:.4f} ms | {spread} | "
            f"{'' if is_base else r['against']} | {times} | {agree} |"
        )
    seen = {f"{r['device']}, driver {r['driver']}, {r['date']}, `{r['commit']}`" for r in order}
    commands = sorted({f"    {r['command']}" for r in order})
    return "\n".join([*rows, "", *sorted(seen), "", *commands, ""])


def written(path: Path) -> tuple[str, str]:
    """The text of a file, and the same with its tables made anew."""
    makers = {"results": table, "ablations": ablations}
    old = path.read_text()
    if not SECTION.search(old):
        raise SystemExit(f"{path.name} has no <!-- results: PREFIX --> section")
    return old, SECTION.sub(lambda m: m.group(1) + makers[m.group(2)](m.group(3)) + m.group(4), old)


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the tables of measurements.")
    parser.add_argument("--check", action="store_true", help="only fail if a table is stale")
    check, stale = parser.parse_args().check, False
    for path in (README, ABLATIONS):
        old, new = written(path)
        if not check:
            path.write_text(new)
        is_stale = check and new != old
        stale |= is_stale
        state = "stale: run `make docs` and commit" if is_stale else "current"
        print(f"results_table: {path.name} is {state}")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
