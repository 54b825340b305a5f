# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a package and a checkpoint folder to the first token: what takes how long, and what memory.

    etc compile benchmarks/models/qwen3-8b.json --target h200 --max-seq 1024 -o m.etc
    python benchmarks/load.py m.etc --config benchmarks/models/qwen3-8b.json [--out FOLDER]

Runs where PyTorch and cuda-bindings are. Writes a checkpoint of random weights of that shape,
sharded as Hugging Face does it, to a folder beside the package (--folder), and loads it as
`etc generate` does: each tensor to the device and there into the order of tiles. What moving the
weights costs is measured by copying the same files' bytes from the page cache to the device in the
same way, with nothing else done.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from decode_check import random_weights
from safetensors import safe_open
from safetensors.torch import save_file

from etc_mlir.decoder import Decoder
from etc_mlir.errors import EtcError
from etc_mlir.package import Package
from etc_mlir.runtime.decoding import Decoding
from etc_mlir.runtime.launch import Program
from etc_mlir.runtime.measure import record, write_records
from etc_mlir.runtime.weights import Upload
from etc_mlir.weights import stream

_SHARD_BYTES = 4 << 30


def write_checkpoint(decoder: Decoder, config: Path, folder: Path) -> int:
    """Random weights as a sharded checkpoint; their bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(config, folder / "config.json")
    shards: list[dict[str, torch.Tensor]] = [{}]
    size = total = 0
    for name, tensor in random_weights(decoder, 0, torch.device("cuda")):
        if name in decoder.constants:
            continue
        if size and size + tensor.nbytes > _SHARD_BYTES:
            shards.append({})
            size = 0
        shards[-1][name] = tensor.cpu().contiguous()
        size += tensor.nbytes
        total += tensor.nbytes
    names = [f"model-{i:05d}-of-{len(shards):05d}.safetensors" for i in range(1, len(shards) + 1)]
    index = {key: name for name, shard in zip(names, shards, strict=True) for key in shard}
    for name, shard in zip(names, shards, strict=True):
        save_file(shard, folder / name)
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": total}, "weight_map": index})
    )
    return total


def move(folder: Path) -> float:
    """Seconds to copy every tensor of the folder to the device, and nothing else."""
    upload = Upload(torch.device("cuda"))
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118, the file is no mapping
                upload.send(file.get_tensor(name))
    upload.finish()
    return time.perf_counter() - begin


class Clock:
    """Seconds of one thing after the other."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, what: str, action: Callable[[], Any]) -> Any:
        torch.cuda.synchronize()
        begin = time.perf_counter()
        result = action()
        torch.cuda.synchronize()
        self.seconds[what] = time.perf_counter() - begin
        return result


def load(path: Path, folder: Path, prompt: int) -> tuple[dict[str, float], int, int]:
    """Seconds by phase; bytes of the device held at the end and at most, without what was there."""
    clock = Clock()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    package = clock.time("read the package", lambda: Package.read(path))
    decoder = clock.time("describe the model", lambda: Decoder.of(package, str(path)))
    program = clock.time("load the kernel", lambda: Program(package))
    clock.time("load the weights", lambda: program.bind(stream(decoder, folder)[0]))
    decoding = clock.time("allocate the cache", lambda: Decoding(program))
    ids = torch.randint(decoder.vocab_size, (prompt,), generator=torch.Generator().manual_seed(0))
    clock.time("first token", lambda: decoding.prefill([ids]))
    held, peak = torch.cuda.memory_allocated() - before, torch.cuda.max_memory_allocated() - before
    return clock.seconds, held, peak


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("package", type=Path)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--folder", type=Path, help="where to write the checkpoint")
    parser.add_argument("--prompt", type=int, default=16, help="tokens before the first")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="a folder for the record")
    return parser.parse_args()


def main() -> int:
    arguments = parse()
    folder = arguments.folder or arguments.package.with_suffix("")
    try:
        package = Package.read(arguments.package)
        size = write_checkpoint(Decoder.of(package), arguments.config, folder)
        torch.cuda.empty_cache()
        runs = []
        for _ in range(arguments.repeats):
            moved = move(folder)
            runs.append((moved, *load(arguments.package, folder, arguments.prompt)))
            torch.cuda.empty_cache()
    except EtcError as error:
        print(f"load.py: {error}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    # The first run also starts the driver and fills the page cache.
    moved, seconds, held, peak = min(runs[1:] or runs, key=lambda run: sum(run[1].values()))
    rest = sum(seconds.values()) - moved
    print(
        f"{arguments.config.stem} on {torch.cuda.get_device_name()}, {size / 1e9:.2f} GB of weights"
    )
    for what, time_s in seconds.items():
        print(f"  {what:20} {time_s * 1e3:9.1f} ms")
    print(f"  moving the bytes alone {moved * 1e3:7.1f} ms; all but that {rest * 1e3:.1f} ms")
    print(f"  device memory: {held / 1e9:.2f} GB held, {peak / 1e9:.2f} GB at most")
    if arguments.out:
        one = record(
            f"load-{arguments.config.stem}",
            [1e3 * (sum(run[1].values())) for run in runs[1:] or runs],
            warmup=1,
            commit=package.commit,
            command=f"python benchmarks/load.py {arguments.package.name} --config "
            f"benchmarks/models/{arguments.config.name} --prompt {arguments.prompt}",
            n=len(runs[1:] or runs),
            bytes=size,
            floor_ms=moved * 1e3,
            ceiling_tbps=size / moved / 1e12,
            notes="package and checkpoint folder to first token; floor: the same bytes copied to "
            "the device and nothing else; "
            + ", ".join(f"{what} {s * 1e3:.0f} ms" for what, s in seconds.items())
            + f"; device memory {held / 1e9:.2f} GB held, {peak / 1e9:.2f} GB at most",
        )
        write_records(arguments.out, [one])
    return 0


if __name__ == "__main__":
    sys.exit(main())
