# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small graphs on a GPU: every output of every launch against PyTorch.

    python benchmarks/gpu_small_graphs.py FOLDER [--launches 1000] [--only NAME]
        [--out benchmarks/results] [--trace FILE]

FOLDER holds the packages that benchmarks/build_packages.py wrote. Each launch gets fresh random
input of another size, and its outputs and scratch are poisoned before it. Prints one JSON object
per graph; exits with 1 if any output was wrong. --out: a record of each graph goes there, as
small-NAME.json. --trace: the timeline of the last launch of --only NAME, as .json or .svg.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from etc_mlir.errors import WatchdogError
from etc_mlir.package import Package
from etc_mlir.runtime.launch import Program
from etc_mlir.runtime.measure import TimedProgram, record, write_records

Check = Callable[[Program], float]


def poison(*tensors: torch.Tensor) -> None:
    """Fills with what no result can be mistaken for."""
    for tensor in tensors:
        tensor.view(torch.uint8).fill_(0xFF)


def split_sum(program: Program) -> float:
    """C[r] = sum of A[r, :], n changing from launch to launch; the largest relative error."""
    n = random.choice([1, 31, 32, 33, 100, 512, 1000, 4095, 4096])
    a = torch.rand(n, 128, device="cuda")
    c = torch.empty(n, device="cuda")
    poison(c, program.scratch)
    program.run({"A": a, "C": c}, {"n": n})
    want = a.double().sum(1)
    return float(((c.double() - want).abs() / want).nan_to_num(1e9).max())


def diamond(program: Program) -> float:
    """y = (2 x + 1) * rowsum(2 x)."""
    n = random.choice([1, 15, 16, 17, 33, 500, 4095, 4096])
    x = torch.rand(n, 128, device="cuda")
    y = torch.empty_like(x)
    poison(y, program.scratch)
    program.run({"x": x, "y": y}, {"n": n})
    a = 2 * x.double()
    return relative_error(y, (a + 1) * a.sum(1, keepdim=True))


def war(program: Program) -> float:
    """y = 2 x + colsum(x + 1), both out of one scratch that is written twice."""
    n = random.choice([1, 15, 16, 17, 33, 500, 2047, 2048])
    x = torch.rand(n, 128, device="cuda")
    y = torch.empty_like(x)
    poison(y, program.scratch)
    program.run({"x": x, "y": y}, {"n": n})
    return relative_error(y, 2 * x.double() + (x.double() + 1).sum(0))


class MLP:
    """norm, gate and up projection, silu(gate) * up, down projection, residual, in bf16."""

    def __init__(
        self, hidden: int, intermediate: int, *, bias: bool = False, gated: bool = True
    ) -> None:
        """gated: silu(gate) * up is folded into the projections, as where tiles of 16 rows divide
        them."""
        self.hidden, self.intermediate, self.bias, self.gated = hidden, intermediate, bias, gated
        self.weights: dict[str, torch.Tensor] = {}

    def bind(self, program: Program) -> None:
        """Random weights, kept by the program and here."""

        def random_weight(rows: int, columns: int) -> torch.Tensor:
            return (torch.randn(rows, columns, device="cuda") / columns**0.5).bfloat16()

        h, i = self.hidden, self.intermediate
        self.weights = {
            "norm.weight": (1 + 0.1 * torch.randn(h, device="cuda")).bfloat16(),
            "gate.weight": random_weight(i, h),
            "up.weight": random_weight(i, h),
            "down.weight": 2 * random_weight(h, i),
        }
        if self.bias:
            self.weights["down.bias"] = torch.randn(h, device="cuda").bfloat16()
        program.bind(self.weights)

    def reference(self, x: torch.Tensor) -> torch.Tensor:
        """In f32 out of the bf16 inputs, rounded to bf16 where the fused graph's tensors are: the
        input times the norm's weight, silu(gate) * up (without `gated` its parts as well), a down
        projection with a bias."""

        def rounded(value: torch.Tensor) -> torch.Tensor:
            return value.bfloat16().float()

        w = {name: weight.float() for name, weight in self.weights.items()}
        x = x.float()
        scale = torch.rsqrt(x.pow(2).mean(1, keepdim=True) + 1e-6)
        scaled = rounded(w["norm.weight"] * x)
        gate = scale * (scaled @ w["gate.weight"].T)
        up = scale * (scaled @ w["up.weight"].T)
        part = (lambda value: value) if self.gated else rounded
        gate, up = part(gate), part(up)
        product = rounded(part(gate / (1 + torch.exp(-gate))) * up)
        down = product @ w["down.weight"].T
        return x + (rounded(down + w["down.bias"]) if self.bias else down)

    def __call__(self, program: Program) -> float:
        """1 to 16 tokens, changing from launch to launch."""
        if not self.weights:
            self.bind(program)
        tokens = random.randint(1, 16)
        x = torch.randn(tokens, self.hidden, device="cuda").bfloat16()
        y = torch.empty_like(x)
        poison(y, program.scratch)
        program.run({"x": x, "y": y}, {"T": tokens})
        return relative_error(y, self.reference(x))


def relative_error(got: torch.Tensor, want: torch.Tensor) -> float:
    """The largest error, relative to the largest value wanted; a NaN counts as huge."""
    return float(((got.to(want) - want).abs() / want.abs().max()).nan_to_num(1e9).max())


def watchdog(stuck: Program, good: Program) -> dict:
    """A notify that never comes: reported, and the next launches are right again."""
    a, c = torch.rand(100, 128, device="cuda"), torch.empty(100, device="cuda")
    reports = []
    for program, spoil in ((stuck, 0), (good, 1)):
        program.counters.sub_(spoil)  # as if a notify had been lost
        start = time.perf_counter()
        try:
            program.run({"A": a, "C": c}, {"n": 100})
        except WatchdogError as error:
            wait = error.wait
            reports.append([wait.seen, wait.wanted, wait.launch_name, wait.event_name])
            print(f"# {error}", file=sys.stderr)
        reports.append(round(time.perf_counter() - start, 2))
    errors = [split_sum(good) for _ in range(10)]
    caught = sum(isinstance(report, list) for report in reports)
    wrong = (2 - caught) + sum(not error <= 1e-5 for error in errors)
    return {"graph": "watchdog", "reports": reports, "errors_after": max(errors), "wrong": wrong}


def watchdog_stream(program: Program) -> dict:
    """A lost notify while weights are on their way: the loaders leave too, again and again."""
    check, bound, caught, errors = MLP(1024, 3072), 1e-2, 0, []
    check.bind(program)
    for _ in range(3):
        program.counters.sub_(1)
        try:
            check(program)
        except WatchdogError as error:
            caught += 1
            print(f"# {error}", file=sys.stderr)
        errors += [check(program) for _ in range(10)]
    wrong = 3 - caught + sum(not error <= bound for error in errors)
    return {"graph": "watchdog_stream", "errors_after": max(errors), "wrong": wrong}


# Name of the package, its check, and the largest error that rounding explains.
# One unit in the last place of bf16 is up to 2^-7 of a value.
GRAPHS: list[tuple[str, Check, float]] = [
    ("split_sum", split_sum, 1e-5),
    ("diamond", diamond, 1e-5),
    ("war", war, 1e-5),
    ("mlp_chain", MLP(1024, 3072), 1e-2),
    ("mlp_chain_384", MLP(384, 1536), 1e-2),
    ("mlp_chain_odd", MLP(48, 400, bias=True), 1e-2),
    ("mlp_chain_plain", MLP(40, 72, bias=True, gated=False), 1e-2),
]


def as_record(report: dict, program: TimedProgram) -> dict:
    """The report of a graph as a result: how long its launches took, and that they were right."""
    return record(
        f"small-{report['graph']}",
        program.times_ms,
        warmup=0,
        commit=program.package.commit,
        command="python benchmarks/gpu_small_graphs.py FOLDER",
        notes=f"{report['launches']} launches of random sizes, {report['wrong']} of them wrong; "
        f"largest error {report['max_error']:.2g}, of {report['bound']:g} allowed. Times of "
        "all sizes together: bytes, floor_ms and ceiling_tbps have no meaning here.",
    )


def run(name: str, program: Program, check: Check, bound: float, launches: int) -> dict:
    """Launches many times; the report of one graph."""
    errors = []
    start = time.perf_counter()
    for _ in range(launches):
        errors.append(check(program))
    wrong = sum(not error <= bound for error in errors)
    return {
        "graph": name,
        "registers": program.package.registers,
        "launches": launches,
        "wrong": wrong,
        "max_error": max(errors),
        "bound": bound,
        "seconds": round(time.perf_counter() - start, 3),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--launches", type=int, default=1000)
    parser.add_argument("--only")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--trace", type=Path)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    random.seed(0)
    wrong = 0
    for name, check, bound in GRAPHS:
        if arguments.only not in (None, name):
            continue
        package = Package.read(arguments.folder / f"{name}.etc")
        capacity = 4096 if arguments.trace else 0
        program = TimedProgram(package, timeout_s=2, trace_capacity=capacity)
        report = run(name, program, check, bound, arguments.launches)
        print(json.dumps(report), flush=True)
        if arguments.out:
            write_records(arguments.out, [as_record(report, program)])
        if arguments.trace:
            program.trace().save(arguments.trace)
        wrong += report["wrong"]
    if arguments.only in (None, "watchdog"):
        stuck, good = (
            Program(Package.read(arguments.folder / f"{name}.etc"), timeout_s=1)
            for name in ("split_sum_stuck", "split_sum")
        )
        stream = Program(Package.read(arguments.folder / "mlp_chain.etc"), timeout_s=0.5)
        for report in (watchdog(stuck, good), watchdog_stream(stream)):
            print(json.dumps(report), flush=True)
            wrong += report["wrong"]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
