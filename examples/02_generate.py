# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compile a Hugging Face checkpoint for the threads of this machine, and let it write.

python examples/02_generate.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import etc_mlir

TINY = Path(__file__).parent.parent / "test" / "data" / "tiny-qwen3"


def main(folder: Path = TINY) -> str:
    model = etc_mlir.compile(folder, max_batch=2, max_seq=256, workers=2)

    # One prompt, as it is written.
    text = ""
    for piece in model.generate("Return the", max_new_tokens=40, stream=True):
        print(piece.text, end="", flush=True)
        text += piece.text
    print(f"\n{model.last.tokens_per_s:.0f} tokens/s, {model.kernel.tasks} tasks a step")

    # Two prompts of different lengths in one batch; a third waits until there is room.
    assert model.tokenizer is not None
    prompts = [model.tokenizer.encode(t).ids for t in ("Raises", "a new object that", "def")]
    for tokens in model.generate(prompts, max_new_tokens=16):
        print(repr(model.tokenizer.decode(tokens)))
    return text


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
