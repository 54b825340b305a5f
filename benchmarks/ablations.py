# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What each part of the design is worth: a decoder without it, one part at a time.

    python benchmarks/ablations.py build FOLDER [--model CONFIG] [--only NAME,..]
    python benchmarks/ablations.py run FOLDER --out benchmarks/results [--ceiling TBPS]
    python utils/results_table.py                                 # writes docs/Ablations.md

`build` compiles a package per variant, on any machine with ptxas; `run` times all of them in turns
where PyTorch and cuda-bindings are, with random weights, and tells how many greedy tokens of each
are those of the variant `default`. A kernel that sums in another order may round otherwise, and go
on from another token; one that is not itself again in the next round is wrong (status 1).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etc_mlir.errors import EtcError

if TYPE_CHECKING:
    import torch
    from decode import Bench

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "benchmarks" / "models" / "qwen3-0.6b.json"
BUILT = "ablations.json"  # what `build` tells `run`
COUNTERS = "pipeline-handoffs:data=false"
BARRIERS = "pipeline-events:barriers=true"
HINTS = "pipeline-handoffs:stream-parts=false"
NO_HINTS = "pipeline-handoffs:parts=false"
UNSTAGED = "pipeline-handoffs:stage=false"
NO_PACE = "pipeline-handoffs:pace=false"
APART = "pipeline-decompose:shared-bytes=0"
NO_PREFETCH = "pipeline-gpu:prefetch=false"
WIDE = "pipeline-decompose:wide-residuals=true"
NO_MARKS = "pipeline-persistent:marks=false"


@dataclasses.dataclass(frozen=True)
class Variant:
    """what: for the table. against: the variant that has what this one lacks. passes, policy: of
    `CompileOptions`. per_launch: steps that one kernel runs. package: by default of this name."""

    what: str
    against: str = "default"
    passes: tuple[str, ...] = ()
    policy: str = "auto"
    per_launch: int = 1
    package: str | None = None


VARIANTS = {
    "default": Variant("words with epochs, staging, prefetch, round-robin, one step a launch"),
    "counters": Variant("events count tasks, no words with epochs", passes=(COUNTERS,)),
    "barriers": Variant(
        "a barrier per operator, the same tiles on the same workers",
        "counters",
        (COUNTERS, BARRIERS),
    ),
    "no-prefetch": Variant("weights stream when the input is there", passes=(NO_PREFETCH,)),
    "no-staging": Variant("each tile reads its input anew", passes=(UNSTAGED,)),
    "no-pace": Variant("weights are asked for as soon as the ring has room", passes=(NO_PACE,)),
    "apart": Variant("each row tile is a task", passes=(APART,)),
    "hints": Variant("keys and values come to L2, not through the ring", passes=(HINTS,)),
    "no-hints": Variant("keys and values come when attention asks", "hints", (NO_HINTS,)),
    "wide": Variant("what residuals are added to is f32", passes=(WIDE,)),
    "list": Variant("list scheduling by the cost model", policy="list"),
    "no-marks": Variant("the watchdog could name no task", passes=(NO_MARKS,)),
    "many-steps": Variant("16 steps in one launch", per_launch=16, package="default"),
    "plain": Variant(
        "barriers, no staging, no prefetch",
        passes=(COUNTERS, BARRIERS, UNSTAGED, NO_PREFETCH),
    ),
}


def build(arguments: argparse.Namespace) -> int:
    """A package for each variant that needs one of its own."""
    from etc_mlir.compile_gpu import compile_model
    from etc_mlir.options import CompileOptions

    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in arguments.only if not VARIANTS[name].package]
    for number, name in enumerate(wanted, 1):
        begin, variant = time.monotonic(), VARIANTS[name]
        print(f"[{number}/{len(wanted)}] {name}: {variant.what}", flush=True)
        options = CompileOptions.of(
            target=arguments.target,
            max_batch=arguments.batch,
            max_seq=arguments.max_seq,
            policy=variant.policy,
            passes=variant.passes,
        )
        package = compile_model(arguments.model, options)
        package.write(folder / f"{name}.etc")
        print(f"  {package.registers} registers, {time.monotonic() - begin:.0f} s", flush=True)
    about = {"model": arguments.model.stem, "batch": arguments.batch}
    (folder / BUILT).write_text(json.dumps(about) + "\n", encoding="utf-8")
    return 0


class Timed:
    """A variant with its weights on the device, and what was seen of it."""

    def __init__(self, variant: Variant, bench: Bench) -> None:
        self.variant, self.bench = variant, bench
        self.first, self.lengths = bench.prepared()
        self.medians: list[float] = []
        self.tokens: list[torch.Tensor] = []

    def round(self, count: int) -> None:
        """`count` steps. Raises WatchdogError."""
        decoding, per_launch = self.bench.decoding, self.variant.per_launch
        run = decoding.prepare(self.first, self.lengths, count)
        times = decoding.time(run.steps, per_launch=per_launch)
        self.medians.append(statistics.median(times) / per_launch)
        self.tokens.append(run.tokens.cpu())

    @property
    def is_stable(self) -> bool:
        return all(bool((tokens == self.tokens[0]).all()) for tokens in self.tokens)

    def agreement(self, other: Timed) -> int:
        """Tokens of each sequence before the first that is not the other's."""
        same = (self.tokens[0] == other.tokens[0]).all(1).int()
        return int(same.cumprod(0).sum())


def load(arguments: argparse.Namespace) -> dict[str, Timed]:
    """All variants with the same weights; of a package that two share there is one program."""
    from decode import Bench

    benches: dict[str, Bench] = {}
    found = {}
    for name in arguments.only:
        variant = VARIANTS[name]
        package = variant.package or name
        if package not in benches:
            values = {**vars(arguments), "package": arguments.folder / f"{package}.etc"}
            fixed = {"config": None, "checkpoint": None, "trace": None}
            benches[package] = Bench(argparse.Namespace(**values, **fixed))
            benches[package].program.bind(benches[package].weights(0))
        found[name] = Timed(variant, benches[package])
        print(f"{name} is loaded", flush=True)
    return found


def to_record(
    name: str, timed: Mapping[str, Timed], arguments: argparse.Namespace, model: str
) -> dict[str, Any]:
    """As in benchmarks/results, with what docs/Ablations.md has beside it."""
    from etc_mlir.runtime.measure import record

    one, default = timed[name], timed["default"]
    agrees, total = one.agreement(default), len(one.tokens[0])
    size, ceiling = one.bench.bytes_of_step(), arguments.ceiling
    found = record(
        f"ablation-{model}-b{arguments.batch}-kv{arguments.kv}-{name}",
        one.medians,
        n=arguments.tokens * arguments.rounds,
        warmup=arguments.warmup,
        commit=one.bench.package.commit,
        command=f"python benchmarks/ablations.py run FOLDER --kv {arguments.kv} --tokens "
        f"{arguments.tokens} --rounds {arguments.rounds}"
        + (f" --ceiling {ceiling}" if ceiling else ""),
        bytes=size,
        floor_ms=size / (ceiling * 1e12) * 1e3 if ceiling else None,
        ceiling_tbps=ceiling,
        notes=f"{one.variant.what}; {agrees} of {total} tokens are those of the default; tokens of "
        f"all runs {'equal' if one.is_stable else 'DIFFER'}",
    )
    about = {"variant": name, "what": one.variant.what, "against": one.variant.against}
    return {**found, **about, "agrees": agrees, "tokens": total}


def run(arguments: argparse.Namespace) -> int:
    """The variants in turns, `--rounds` times; writes and prints the records."""
    from etc_mlir.runtime.measure import write_records

    about = json.loads((arguments.folder / BUILT).read_text(encoding="utf-8"))
    arguments.batch = about["batch"]
    timed = load(arguments)
    for one in timed.values():
        one.round(arguments.warmup)
        one.medians.clear()
        one.tokens.clear()
    for number in range(arguments.rounds):
        for name, one in timed.items():
            one.round(arguments.tokens)
            print(f"round {number + 1}: {name} {one.medians[-1]:.4f} ms", flush=True)
    records = [to_record(name, timed, arguments, about["model"]) for name in timed]
    write_records(arguments.out, records)
    medians = {r["variant"]: r["median_ms"] for r in records}
    for r in records:
        ratio = r["median_ms"] / medians[r["against"]] if r["against"] in medians else float("nan")
        print(f"{r['median_ms']:.4f} ms, {ratio:.3f} of {r['against']}: {r['notes']}")
    return 0 if all(one.is_stable for one in timed.values()) else 1


def names(text: str) -> list[str]:
    """Variants by name, the default first."""
    found = text.split(",")
    for name in found:
        if name not in VARIANTS:
            known = ", ".join(VARIANTS)
            raise argparse.ArgumentTypeError(f"'{name}' is not one of {known}")
    return list(dict.fromkeys(["default", *found]))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    commands = parser.add_subparsers(dest="command", required=True)
    built = commands.add_parser("build", help="compile a package per variant")
    built.add_argument("--model", type=Path, default=MODEL, help="a config.json, or its folder")
    built.add_argument("--target", default="h200")
    built.add_argument("--batch", type=int, default=1)
    built.add_argument("--max-seq", type=int, default=1024)
    timed = commands.add_parser("run", help="time the packages")
    timed.add_argument("--out", type=Path, required=True, help="a folder for the records")
    timed.add_argument("--kv", type=int, default=512, help="positions before the first step")
    timed.add_argument("--tokens", type=int, default=256)
    timed.add_argument("--warmup", type=int, default=32)
    timed.add_argument("--rounds", type=int, default=3)
    timed.add_argument("--timeout", type=float, default=5.0, help="seconds of one wait")
    timed.add_argument("--ceiling", type=float, help="TB/s that benchmarks/stream.py gave here")
    for command in (built, timed):
        command.add_argument("folder", type=Path, help="of the packages")
        command.add_argument(
            "--only", type=names, default=list(VARIANTS), metavar="NAME,..", help="default: all"
        )
    return parser.parse_args()


def main() -> int:
    arguments = parse()
    try:
        return {"build": build, "run": run}[arguments.command](arguments)
    except EtcError as error:
        print(f"ablations.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
