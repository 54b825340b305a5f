# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A real model through every phase, one flag of etc-opt at a time.

Each file must parse again on its own: what a phase leaves is all that the next one may know.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import torch
from import_models import import_small, qwen3
from transformers import AutoConfig

from etc_mlir import _etc
from etc_mlir.frontend.importer import import_model

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "build" / "tools" / "etc-opt" / "etc-opt"
PHASES = (
    "--convert-torch-to-task",
    "--canonicalize",
    "--cse",
    "--decompose-to-tasks=workers=132",
    "--infer-events",
    "--fuse-events",
    "--linearize-tasks",
    "--plan-global-memory",
    "--verify-events=values=1",
    "--prefetch-weights",
    "--schedule-static=workers=132 buckets=1x1,16x16",
    "--verify-schedule",
    "--lower-to-persistent",
    "--verify-persistent",
    "--lower-tiles-to-loops",
    "--convert-linalg-to-loops",
    "--convert-task-to-llvm",
    "--expand-strided-metadata",
    "--lower-affine",
    "--arith-expand=include-bf16=true",
    "--convert-vector-to-scf",
    "--convert-scf-to-cf",
    "--convert-math-to-llvm",
    "--convert-to-llvm",
    "--reconcile-unrealized-casts",
)


def _etc_opt() -> str:
    found = str(BUILT) if BUILT.is_file() else shutil.which("etc-opt")
    assert found, "etc-opt is not built: run `make build`"
    return found


def _config(name: str) -> Any:
    given = json.loads((ROOT / "benchmarks" / "models" / f"{name}.json").read_text())
    return AutoConfig.for_model(given.pop("model_type"), **given)


def test_llama_1b_one_flag_at_a_time(tmp_path: Path) -> None:
    text = import_model(
        _config("llama-3.2-1b"),
        max_tokens=16,
        max_rows=16,
        max_seqs=16,
        page_tokens=64,
        max_seq_len=4096,
        dtype=torch.bfloat16,
    ).text
    before = tmp_path / "00-imported.mlir"
    before.write_text(text)
    for number, flag in enumerate(PHASES, 1):
        after = tmp_path / f"{number:02d}{flag.partition('=')[0]}.mlir"
        done = subprocess.run(
            [_etc_opt(), str(before), flag, "-o", str(after)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{flag} on {before.name}: {done.stderr[:2000]}"
        before = after
    module = _etc.Module.parse(_etc.Context(), before.read_text(), before.name)
    left = {op.name.partition(".")[0] for op in _all_operations(module)}
    # The program's tables stay; all code is in the llvm dialect.
    assert left <= {"builtin", "llvm", "task"}, left


def _all_operations(module: Any) -> list[Any]:
    found, stack = [], [module.operation]
    while stack:
        op = stack.pop()
        found.append(op)
        stack.extend(o for r in op.regions for b in r.blocks for o in b.operations)
    return found


def test_kernel_text_does_not_grow_with_layers() -> None:
    assert _worker_text(36) == _worker_text(2)


def _worker_text(layers: int) -> str:
    """All functions of the persistent level, but for how many words of counters are cleared."""
    module = _etc.Module.parse(_etc.Context(), import_small(qwen3(num_hidden_layers=layers)).text)
    for phase in ("import", "decompose", "events", "schedule", "persistent"):
        module.run(f"pipeline-{phase}", phase=phase)
    (body,) = module.operation.regions[0].blocks
    functions = [str(op) for op in body.operations if op.name == "func.func"]
    assert functions
    return re.sub(r"(task.clear_banks .* words) \d+", r"\1 N", "\n".join(functions))
