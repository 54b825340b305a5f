# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small random models, and a session that runs the imported text over ragged sequences."""

from __future__ import annotations

import functools
import random
import re
from typing import Any

import torch
import transformers

from etc_mlir.frontend.importer import ImportedModel, import_model
from etc_mlir.interpreter.torch_level import TorchLevel

TOLERANCE = 2e-5
PAGE_TOKENS, MAX_SEQS, MAX_SEQ_LEN, MAX_TOKENS = 8, 4, 48, 24
SIZES = {
    "vocab_size": 128,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 64,
    "initializer_range": 0.2,  # large, so that attention and norms matter
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}


def qwen3(**overrides: Any) -> Any:
    return transformers.Qwen3Config(**{**SIZES, **overrides})


def llama(**overrides: Any) -> Any:
    return transformers.LlamaConfig(
        **{**SIZES, "rms_norm_eps": 1e-5, "rope_parameters": LLAMA3, **overrides}
    )


CONFIGS = {
    "qwen3": qwen3,
    "qwen3_tied": lambda: qwen3(tie_word_embeddings=True),
    "llama": llama,
    "llama_bias": lambda: llama(attention_bias=True, mlp_bias=True),
}
# With heads as wide as `fuse-operators` takes them.
WIDE = {
    "qwen3_wide": lambda: qwen3(head_dim=32),
    "llama_wide": lambda: llama(head_dim=32),
}


@functools.cache
def model_of(name: str) -> Any:
    torch.manual_seed(3)
    model = transformers.AutoModelForCausalLM.from_config({**CONFIGS, **WIDE}[name]()).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "norm" in key or "bias" in key:  # ones and zeros hide a weight that is not applied
                parameter.uniform_(0.5, 1.5)
    return model


def import_small(source: Any, **overrides: Any) -> ImportedModel:
    options = {
        "max_tokens": MAX_TOKENS,
        "max_seqs": MAX_SEQS,
        "page_tokens": PAGE_TOKENS,
        "max_seq_len": MAX_SEQ_LEN,
    }
    return import_model(source, **{**options, **overrides})


@functools.cache
def imported(name: str) -> ImportedModel:
    return import_small(model_of(name))


class Session:
    """Sequences in one paged cache, on pages in no order, advanced by steps of the text."""

    def __init__(
        self, model: Any, found: ImportedModel, text: str | None = None, step: Any = None
    ) -> None:
        """step: executes another level of the same model instead of the text."""
        self.step = step or TorchLevel(found.text if text is None else text)
        held = {**model.state_dict(), **found.constants}
        self.fixed = {a.name: held[a.name] for a in found.arguments if a.role == "weight"}
        caches = [a for a in found.arguments if a.role == "state"]
        # Not zero: a read of a slot that was never written shows.
        self.caches = {
            a.name: torch.full([int(d) for d in a.shape], 1e3, dtype=a.dtype) for a in caches
        }
        pages = list(range(int(caches[0].shape[0])))
        random.Random(5).shuffle(pages)
        self.table = torch.tensor(pages).view(MAX_SEQS, -1)
        self.lengths = [0] * MAX_SEQS

    def advance(self, chunks: list[tuple[int, list[int]]]) -> torch.Tensor:
        """Takes (sequence, its next tokens); the logits after each token, in order."""
        seq, pos, ids = [], [], []
        for which, tokens in chunks:
            for token in tokens:
                seq.append(which)
                pos.append(self.lengths[which])
                ids.append(token)
                self.lengths[which] += 1
        outputs, found = [], {}
        # Few rows may be wanted at a time, so the same step is repeated: appending is idempotent.
        for start in range(0, len(ids), MAX_SEQS):
            rows = torch.arange(start, min(start + MAX_SEQS, len(ids)))
            found = self.step.run(
                {
                    **self.fixed,
                    **self.caches,
                    "ids": torch.tensor(ids),
                    "seq": torch.tensor(seq),
                    "pos": torch.tensor(pos),
                    "block_table": self.table,
                    "rows": rows,
                }
            )
            assert torch.equal(found["tokens"], found["logits"].argmax(-1))
            outputs.append(found["logits"])
        self.caches = {name: found[name] for name in self.caches}
        return torch.cat(outputs)


def reference(model: Any, tokens: list[int]) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.tensor([tokens]), use_cache=False).logits[0]


def ragged() -> list[list[int]]:
    generator = random.Random(11)
    return [[generator.randrange(128) for _ in range(n)] for n in (23, 1, 17, 9)]


def greatest_error(
    model: Any,
    found: ImportedModel,
    text: str | None = None,
    step: Any = None,
    steps: int | None = None,
) -> float:
    """Four ragged sequences: chunks of prefill, then mixed steps, then one token each.

    steps: only so many of them.
    """
    session, tokens = Session(model, found, text, step), ragged()
    got: list[list[torch.Tensor]] = [[] for _ in tokens]
    plan = [
        [(0, 10)],
        [(2, 7), (0, 3)],
        [(1, 1)],
        [(3, 8), (2, 8), (0, 8)],
        [(0, 1), (2, 1), (3, 1)],
        [(0, 1), (2, 1)],
    ]
    for step in plan[:steps]:
        at = [session.lengths[s] for s, _ in step]
        chunks = [(s, tokens[s][b : b + n]) for (s, n), b in zip(step, at, strict=True)]
        logits = session.advance(chunks)
        for (which, piece), part in zip(chunks, logits.split([n for _, n in step]), strict=True):
            assert len(piece) == len(part)
            got[which].append(part)
    errors = [
        (torch.cat(parts) - reference(model, sequence)[: session.lengths[i]]).abs().max().item()
        for i, (parts, sequence) in enumerate(zip(got, tokens, strict=True))
        if parts
    ]
    # Not max(): it may pass over a NaN.
    return torch.tensor(errors).max().item()


def operators(text: str) -> set[str]:
    named = set(re.findall(r'"torch\.operator".*<\{name = "torch\.([\w.]+)"', text))
    plain = set(re.findall(r'"torch\.(aten\.[\w.]+)"', text))
    return named | plain
