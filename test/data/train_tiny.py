# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes test/data/tiny-qwen3: a byte-level Qwen3 of 0.8 M parameters, trained on the docstrings of
the standard library.

    python test/data/train_tiny.py test/data/tiny-qwen3

One thread, a fixed seed and a fixed number of steps: the same Python and torch give the same file.
Another Python version has other docstrings, hence other weights; the tests rely on none of them.
"""

from __future__ import annotations

import argparse
import builtins
import importlib
import inspect
import math
import time
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

MODULES = [
    "argparse",
    "asyncio",
    "bisect",
    "calendar",
    "codecs",
    "collections",
    "configparser",
    "contextlib",
    "copy",
    "csv",
    "datetime",
    "difflib",
    "email",
    "enum",
    "functools",
    "glob",
    "heapq",
    "http.client",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "logging",
    "math",
    "operator",
    "optparse",
    "os",
    "pathlib",
    "queue",
    "random",
    "re",
    "shelve",
    "shlex",
    "shutil",
    "socket",
    "statistics",
    "string",
    "subprocess",
    "tempfile",
    "textwrap",
    "threading",
    "time",
    "traceback",
    "types",
    "unittest",
    "uuid",
    "warnings",
    "zipfile",
]
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
# 256 bytes and 3 specials, padded to a multiple of 16 as real vocabularies are.
VOCAB_SIZE = 272
CONTEXT = 256
BATCH = 8


def corpus() -> bytes:
    """The licence and the docstrings of MODULES, each text once, in a fixed order."""
    texts: dict[str, None] = {}

    def add(text: object) -> None:
        # Short ones are mostly signatures, and sessions are mostly punctuation: both poor prose.
        if isinstance(text, str) and len(text) > 80 and ">>>" not in text:
            texts[inspect.cleandoc(text)] = None

    for name in ["builtins", *MODULES]:
        module = importlib.import_module(name)
        add(module.__doc__)
        for _, item in sorted(vars(module).items()):
            if not (inspect.isclass(item) or inspect.isroutine(item)):
                continue
            add(item.__doc__)
            if inspect.isclass(item):
                for _, member in sorted(vars(item).items()):
                    add(getattr(member, "__doc__", None))
    printer: Any = vars(builtins)["license"]
    printer._Printer__setup()
    licence = "\n".join(printer._Printer__lines)
    return "\n\n".join([licence, *texts]).encode()


def byte_tokenizer() -> Tokenizer:
    """One token a byte: id i < 256 is byte i; no merges; SPECIALS follow."""
    table = bytes_to_unicode()
    vocab = {table[i]: i for i in range(256)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIALS)
    return tokenizer


def bytes_to_unicode() -> dict[int, str]:
    """GPT-2's printable stand-in for each byte, which ByteLevel works in."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {b: chr(b) for b in kept}
    for offset, b in enumerate(b for b in range(256) if b not in table):
        table[b] = chr(256 + offset)
    return table


def build() -> Any:
    config = transformers.Qwen3Config(
        vocab_size=VOCAB_SIZE,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=1024,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        tie_word_embeddings=True,
        bos_token_id=256,
        eos_token_id=256,
        dtype="float32",
    )
    return transformers.Qwen3ForCausalLM(config)


def train(model: torch.nn.Module, data: torch.Tensor, steps: int, peak: float) -> None:
    generator = torch.Generator().manual_seed(1)
    decay = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": decay, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.98))
    started, smooth = time.monotonic(), None
    for step in range(steps):
        rate = peak * min(1.0, (step + 1) / 50)
        rate *= 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        at = torch.randint(len(data) - CONTEXT - 1, (BATCH,), generator=generator)
        batch = torch.stack([data[i : i + CONTEXT + 1] for i in at.tolist()])
        logits = model(input_ids=batch[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        smooth = loss.item() if smooth is None else 0.95 * smooth + 0.05 * loss.item()
        if step % 50 == 0 or step == steps - 1:
            elapsed = time.monotonic() - started
            print(f"step {step:5d} loss {smooth:.3f} {elapsed:6.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=4e-3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    text = corpus()
    data = torch.frombuffer(bytearray(text), dtype=torch.uint8).long()
    model = build()
    size = sum(p.numel() for p in model.parameters())
    print(f"{len(text)} bytes of text, {size} parameters", flush=True)
    train(model.train(), data, options.steps, options.rate)
    model.eval().save_pretrained(options.out)
    byte_tokenizer().save(str(options.out / "tokenizer.json"))
    tokenizer = Tokenizer.from_file(str(options.out / "tokenizer.json"))
    for prompt in ("Return a new ", "The file is ", "If the ", "This module "):
        ids = torch.tensor([tokenizer.encode(prompt).ids])
        found = model.generate(ids, max_new_tokens=160, do_sample=False)
        print(repr(tokenizer.decode(found[0].tolist())))


if __name__ == "__main__":
    main()
