# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The imported text executed in torch behind the interface of a compiled kernel's engine."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from etc_mlir.checkpoint import Checkpoint
from etc_mlir.frontend.importer import import_model
from etc_mlir.interpreter.torch_level import TorchLevel
from etc_mlir.model import CompiledModel, KernelStats
from etc_mlir.options import CompileOptions
from etc_mlir.trace import Trace

TINY = Path(__file__).parent.parent / "data" / "tiny-qwen3"


class TorchEngine:
    def __init__(self, options: CompileOptions) -> None:
        checkpoint = Checkpoint.open(TINY)
        found = import_model(
            transformers.AutoConfig.from_pretrained(TINY),
            max_tokens=options.step_tokens,
            max_seqs=options.max_batch,
            page_tokens=options.page_tokens,
            max_seq_len=options.max_seq,
            num_pages=options.pages,
        )
        checkpoint.validate(found.weights(), {a.name: a.tied for a in found.arguments})
        self._fixed = {**dict(checkpoint.load_all(found.weights())), **found.constants}
        self._states = {
            a.name: torch.full([int(d) for d in a.shape], 1e3, dtype=a.dtype)
            for a in found.arguments
            if a.role == "state"
        }
        self._level = TorchLevel(found.text)
        self._logits = np.zeros((0, 0), np.float32)

    def step(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        given = {name: torch.from_numpy(value.copy()) for name, value in inputs.items()}
        found = self._level.run({**self._fixed, **self._states, **given})
        self._states = {name: found[name] for name in self._states}
        self._logits = found["logits"].numpy()
        return found["tokens"].numpy()

    def trace(self) -> Trace:
        raise NotImplementedError

    def logits(self) -> np.ndarray:
        return self._logits


@functools.cache
def torch_model(**options: int) -> CompiledModel:
    wanted = CompileOptions.of(**options)
    return CompiledModel(
        TorchEngine(wanted),
        wanted,
        KernelStats(workers=1, launches=0, tasks=0, events=0),
        vocab_size=272,
        tokenizer=Checkpoint.open(TINY).tokenizer(),
        eos=(256,),
    )


@functools.cache
def reference(prompt: tuple[int, ...], count: int) -> list[int]:
    """transformers' greedy continuation, never ended by a token."""
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(TINY).eval()
    with torch.no_grad():
        found = model.generate(
            torch.tensor([prompt]),
            max_new_tokens=count,
            min_new_tokens=None,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=0,
        )
    return found[0, len(prompt) :].tolist()
