# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A whole decoder on a GPU: time per token, logits against the framework's, long runs.

    CONFIG=benchmarks/models/qwen3-0.6b.json
    etc compile $CONFIG --target h200 --max-batch 4 --max-seq 4608 -o m.etc
    python benchmarks/decode.py m.etc --config $CONFIG --batch 1 --kv 4096
        [--tokens 256] [--repeats 5] [--per-launch N] [--check] [--stress N] [--checkpoint DIR]
        [--out FOLDER]

Runs where PyTorch and cuda-bindings are (with --check, transformers too); the compiler is needed
for the package alone. Weights are random, or those of --checkpoint.

The time of a token is that from the end of one kernel to the end of the next, by CUDA events; the
host does nothing between them but enqueue. Of each repeat the median counts. With --per-launch a
kernel runs N steps, and its time divided by N counts. --check compares
logits with those of the Hugging Face model in f32 and in bf16 (see decode_check.py) and exits with
1 where a ratio exceeds --bound. --stress runs N steps, twice, and expects the same tokens.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from decode_check import LENGTHS, Weights, compare, random_weights, read_config

from etc_mlir.decoder import Decoder
from etc_mlir.errors import EtcError
from etc_mlir.package import Package
from etc_mlir.runtime.decoding import Decoding
from etc_mlir.runtime.launch import Program
from etc_mlir.runtime.measure import record, write_records
from etc_mlir.weights import stream

# What the H200 reads of its memory, from benchmarks of copies: targets/h200.json.
BANDWIDTH = 4.6e12


class Bench:
    """A program with its weights, and what is asked of it."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.package = Package.read(arguments.package)
        self.decoder = Decoder.of(self.package, str(arguments.package))
        source = arguments.config or arguments.checkpoint or arguments.package
        self.name = source.stem if source.is_file() else source.name
        most = max(schedule.most_tasks for schedule in self.package.schedules)
        self.program = Program(
            self.package,
            timeout_s=arguments.timeout,
            trace_capacity=most if arguments.trace else 0,
        )
        self.decoding = Decoding(self.program)
        self.device = self.program.device

    def weights(self, seed: int) -> Weights:
        if self.arguments.checkpoint:
            return stream(self.decoder, self.arguments.checkpoint)[0]
        return random_weights(self.decoder, seed, self.device)

    def prompts(self, lengths: list[int], seed: int) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(seed)
        return [torch.randint(self.decoder.vocab_size, (n,), generator=generator) for n in lengths]

    def prepared(self) -> tuple[torch.Tensor, list[int]]:
        """The first token of every sequence, i64 [B], behind `--kv` positions in the cache."""
        lengths = [self.arguments.kv] * self.arguments.batch
        return self.decoding.prefill(self.prompts(lengths, 0))[0], lengths

    def bytes_of_step(self) -> int:
        """What a decode step must read: every weight once, of a table that is not tied the rows
        of its tokens, and the keys and values of the median step."""
        batch, total = self.arguments.batch, 0
        for name, weight in self.decoder.weights.items():
            size = weight.torch_dtype.itemsize
            rows = batch if "embed_tokens" in name and not weight.tied else weight.shape[0]
            total += rows * math.prod(weight.shape[1:]) * size
        _, heads, _, _, head_size = self.decoding.cache_shape
        states = [b for b in self.package.buffers if b.role == "state"]
        positions = self.arguments.kv + self.arguments.tokens // 2
        element = 4 if states[0].element == "f32" else 2
        return total + len(states) * 2 * heads * head_size * element * positions * batch


def measure(bench: Bench) -> dict[str, Any]:
    """The record of `--repeats` times `--tokens` tokens."""
    arguments, decoding = bench.arguments, bench.decoding
    first, lengths = bench.prepared()
    warm = decoding.prepare(first, lengths, min(32, arguments.tokens))
    decoding.run(warm.steps)
    medians, wholes, tokens, per_launch = [], [], [], arguments.per_launch
    for _ in range(arguments.repeats):
        run = decoding.prepare(first, lengths, arguments.tokens)
        times = decoding.time(run.steps, per_launch=per_launch)
        medians.append(statistics.median(times) / per_launch)
        tokens.append(run.tokens.clone())
        whole = decoding.time(run.steps, every=False, per_launch=per_launch)
        wholes.append(whole[0] / arguments.tokens)
    same = all(torch.equal(t, tokens[0]) for t in tokens)
    size = bench.bytes_of_step()
    return record(
        f"decode-{bench.name}-b{arguments.batch}-kv{arguments.kv}"
        + (f"-launch{per_launch}" if per_launch > 1 else ""),
        medians,
        warmup=len(warm.steps),
        commit=bench.package.commit,
        command=f"python benchmarks/decode.py {arguments.package.name} --config "
        f"benchmarks/models/{bench.name}.json --batch {arguments.batch} --kv {arguments.kv} "
        f"--tokens {arguments.tokens} --repeats {arguments.repeats}"
        + (f" --per-launch {per_launch}" if per_launch > 1 else ""),
        n=arguments.tokens * arguments.repeats,
        bytes=size,
        floor_ms=size / (arguments.ceiling * 1e12 if arguments.ceiling else BANDWIDTH) * 1e3,
        ceiling_tbps=arguments.ceiling,
        notes=f"a step of {arguments.batch} sequences, {per_launch} to a launch; "
        f"medians of {arguments.repeats} runs of {arguments.tokens} steps; without "
        f"events between the kernels {statistics.median(wholes):.4f} ms a step; bytes: weights, "
        "and keys and values of the median step; tokens of all runs "
        f"{'equal' if same else 'DIFFER'}",
    )


def check(bench: Bench) -> list[dict[str, Any]]:
    """A comparison per seed, of one sequence and of ragged ones."""
    arguments, found = bench.arguments, []
    config = read_config(arguments.checkpoint or arguments.config)
    most = min(arguments.check_batch, bench.decoding.sequences)
    sizes = [1, most] if most > 1 else [1]
    limit = bench.decoding.limit
    lengths = [[min(n, limit // 2) for n in (LENGTHS * size)[:size]] for size in sizes]
    count = min(arguments.check_tokens, limit - max(map(max, lengths)))
    for seed in range(1 if arguments.checkpoint else arguments.seeds):
        weights = [bench.weights(seed), bench.weights(seed)]
        batches = [bench.prompts(one, seed) for one in lengths]
        comparisons = compare(config, bench.decoding, weights, batches, count)
        for prompts, comparison in zip(batches, comparisons, strict=True):
            errors = {f"ours, {kind}": float(e.max()) for kind, e in comparison.ours.items()}
            errors |= {f"bf16, {kind}": float(e.max()) for kind, e in comparison.theirs.items()}
            one = {
                "model": bench.name,
                "seed": seed,
                "lengths": [len(prompt) for prompt in prompts],
                "worst": comparison.worst(every_step=not arguments.checkpoint),
                "ratios": comparison.ratios(),
                "largest_errors": errors,
                "greedy": comparison.greedy,
            }
            print(json.dumps(one), flush=True)
            found.append(one)
    return found


def stress(bench: Bench) -> bool:
    """`--stress` steps, twice; whether both gave the same tokens. A hang is a WatchdogError."""
    arguments, decoding = bench.arguments, bench.decoding
    histories = []
    for _ in range(2):
        token, lengths = bench.prepared()
        history = []
        for size in _parts(arguments.stress, min(2048, decoding.limit - arguments.kv)):
            run = decoding.prepare(token, lengths, size)
            decoding.run(run.steps, per_launch=arguments.per_launch)
            history.append(run.tokens[1:].cpu())
            token = run.tokens[-1].clone()
        histories.append(torch.cat(history))
    return torch.equal(*histories)


def trace(bench: Bench) -> None:
    """Writes the timeline of one decode step."""
    first, lengths = bench.prepared()
    bench.decoding.run(bench.decoding.prepare(first, lengths, 4).steps)  # the clock, the cache
    bench.decoding.run(bench.decoding.prepare(first, lengths, 1).steps)
    bench.program.trace().save(bench.arguments.trace)


def _parts(total: int, most: int) -> Iterator[int]:
    while total > 0:
        yield min(total, most)
        total -= most


def summary(
    bench: Bench, timed: dict[str, Any] | None, checks: list[dict[str, Any]], stressed: bool | None
) -> bool:
    """Prints the table; whether all is well."""
    good, bound = True, bench.arguments.bound
    print(f"\n{bench.name} on {torch.cuda.get_device_name()}, package {bench.package.commit}")
    if timed:
        ratio = timed["median_ms"] / timed["floor_ms"]
        print(
            f"  {timed['name']}: {timed['median_ms']:.4f} ms a token ({timed['min_ms']:.4f} .. "
            f"{timed['max_ms']:.4f}), floor {timed['floor_ms']:.4f}, {ratio:.2f} of it; "
            f"{timed['bytes'] / timed['median_ms'] / 1e9:.2f} TB/s"
        )
        good &= "DIFFER" not in timed["notes"]
    for one in checks:
        fine = one["worst"] <= bound
        good &= fine
        ratios = ", ".join(f"{name} {ratio:.2f}" for name, ratio in one["ratios"].items())
        print(
            f"  seed {one['seed']}, {len(one['lengths'])} sequences: {one['worst']:.3f} of the "
            f"framework's error ({'ok' if fine else f'MORE THAN {bound}'}; {ratios}); greedy "
            f"{one['greedy'][0]} of {one['greedy'][1]}"
        )
    if checks:
        print(f"  worst ratio of {bench.name}: {max(one['worst'] for one in checks):.3f}")
    if stressed is not None:
        good &= stressed
        print(
            f"  {bench.arguments.stress} steps twice: no hang, tokens "
            f"{'equal' if stressed else 'DIFFER'}"
        )
    return good


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("package", type=Path)
    parser.add_argument("--config", type=Path, help="a config.json, or its folder, for --check")
    parser.add_argument("--checkpoint", type=Path, help="a folder with weights")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--kv", type=int, default=64, help="positions before the first step")
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5, help="0: no times")
    parser.add_argument("--per-launch", type=int, default=1, help="steps that one kernel runs")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--check-tokens", type=int, default=64)
    parser.add_argument("--check-batch", type=int, default=4)
    parser.add_argument("--bound", type=float, default=1.3)
    parser.add_argument("--stress", type=int, default=0, metavar="N")
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds of one wait")
    parser.add_argument("--out", type=Path, help="a folder for the records")
    parser.add_argument("--ceiling", type=float, help="TB/s that benchmarks/stream.py gave here")
    parser.add_argument(
        "--trace", type=Path, help="the timeline of one step, .json or .svg; times are then longer"
    )
    arguments = parser.parse_args()
    if arguments.check and not (arguments.config or arguments.checkpoint):
        parser.error("--check needs --config or --checkpoint")
    if arguments.per_launch < 1 or arguments.tokens % arguments.per_launch:
        parser.error("--tokens must be a multiple of --per-launch")
    return arguments


def main() -> int:
    arguments = parse()
    try:
        bench = Bench(arguments)
        checks = check(bench) if arguments.check else []
        bench.program.bind(bench.weights(0))
        timed = measure(bench) if arguments.repeats else None
        stressed = stress(bench) if arguments.stress else None
        if arguments.trace:
            trace(bench)
    except EtcError as error:
        print(f"decode.py: {error}", file=sys.stderr)
        return 2
    if arguments.out and timed:
        write_records(arguments.out, [timed])
    if arguments.out and checks:
        write_records(arguments.out, [{"name": f"check-{bench.name}", "runs": checks}])
    return 0 if summary(bench, timed, checks, stressed) else 1


if __name__ == "__main__":
    sys.exit(main())
