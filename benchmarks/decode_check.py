# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The logits of a decoder's package against the framework's, by benchmarks/decode.py --check.

The reference is the Hugging Face model in f32 with the same, bf16-rounded weights. How far our
logits are from it is set against how far those of the same model in bf16 are, token by token of the
reference's greedy continuation.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from etc_mlir.decoder import Decoder
from etc_mlir.runtime.decoding import Decoding

Weights = Iterator[tuple[str, torch.Tensor]]
# Ragged: shorter and longer than a page, than a step takes, and a single token.
LENGTHS = (64, 5, 33, 1, 97, 16, 48, 80)


def random_weights(decoder: Decoder, seed: int, device: torch.device) -> Weights:
    """(name, tensor) of every weight, made on the device; the same for the same seed there.

    Matrices are normal with a deviation of 0.02, norms 1 + 0.1 of it, biases 0.02.
    """
    yield from decoder.constants.items()
    for number, (name, weight) in enumerate(decoder.weights.items()):
        generator = torch.Generator(device).manual_seed(seed * 1_000_003 + number)
        value = torch.randn(weight.shape, generator=generator, device=device)
        if len(weight.shape) == 1 and not name.endswith("bias"):
            value = value.mul_(0.1).add_(1)
        else:
            value = value.mul_(0.02)
        yield name, value.to(weight.torch_dtype)


def read_config(path: Path) -> Any:
    """The config of a folder, or of a config.json alone."""
    import transformers

    if path.is_dir():
        return transformers.AutoConfig.from_pretrained(path, local_files_only=True)
    values = json.loads(path.read_text(encoding="utf-8"))
    return transformers.AutoConfig.for_model(values.pop("model_type"), **values)


class Reference:
    """The Hugging Face model on the device, in f32 with the weights given."""

    def __init__(self, config: Any, weights: Weights, device: torch.device) -> None:
        import transformers

        with device:
            self._model: Any = transformers.AutoModelForCausalLM.from_config(
                config, dtype=torch.float32, attn_implementation="eager"
            ).eval()
        self.device = device
        torch.set_float32_matmul_precision("highest")
        parameters = dict(self._model.named_parameters())
        buffers = dict(self._model.named_buffers())
        with torch.no_grad():
            for name, tensor in weights:
                if name in parameters:
                    parameters.pop(name).copy_(tensor)
                elif name in buffers:  # rotary frequencies: the device's `pow` rounds otherwise
                    buffers[name].copy_(tensor)
        if parameters:
            raise SystemExit(f"no weights for {', '.join(parameters)}")

    def to_bf16(self) -> None:
        """Weights and activations from here on in bf16; rotary frequencies stay f32, as where the
        framework loads a model in bf16."""
        for parameter in self._model.parameters():
            parameter.data = parameter.data.bfloat16()

    def logits(
        self, prompts: Sequence[torch.Tensor], count: int, forced: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Greedy tokens i64 [count, B] after prompts i64 [n], each of its own length, and the
        logits that each was taken from, f32 [count, B, V]. forced: i64 [count, B], the tokens to
        go on with instead."""
        most = max(len(prompt) for prompt in prompts)
        ids = torch.zeros(len(prompts), most, dtype=torch.int64, device=self.device)
        mask = torch.zeros_like(ids)  # shorter ones end where the longest does
        for row, prompt in enumerate(prompts):
            ids[row, most - len(prompt) :] = prompt.to(self.device)
            mask[row, most - len(prompt) :] = 1
        places = (mask.cumsum(1) - 1).clamp(min=0)
        cache, found, tokens = None, [], []
        with torch.no_grad():
            for step in range(count):
                out = self._model(
                    input_ids=ids,
                    attention_mask=mask,
                    position_ids=places,
                    past_key_values=cache,
                    use_cache=True,
                )
                cache = out.past_key_values
                found.append(out.logits[:, -1].float())
                tokens.append(found[-1].argmax(-1) if forced is None else forced[step])
                ids, places = tokens[-1][:, None], places[:, -1:] + 1
                mask = torch.cat((mask, torch.ones_like(ids)), 1)
        return torch.stack(tokens), torch.stack(found)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Errors of logits, of each step and sequence, [steps, B], ours and the framework's in bf16.
    greedy: how many of our own greedy tokens are those of the reference, out of how many."""

    ours: dict[str, torch.Tensor]
    theirs: dict[str, torch.Tensor]
    greedy: tuple[int, int]

    def ratios(self) -> dict[str, float]:
        """Ours by theirs. Of each kind of error: the mean over all steps, the largest of all steps,
        the worst of any one step, of which the largest errors of its sequences count, and of any
        one sequence of a step (for information)."""
        found = {}
        for kind, ours in self.ours.items():
            theirs = self.theirs[kind]
            found[f"{kind}, mean"] = float(ours.mean() / theirs.mean())
            found[f"{kind}, largest"] = float(ours.max() / theirs.max())
            found[f"{kind}, one step"] = float((ours.amax(1) / theirs.amax(1)).max())
            found[f"{kind}, one sequence"] = float((ours / theirs).max())
        return found

    def worst(self, every_step: bool) -> float:
        """The largest of the ratios that are bounded; infinite where anything is no number.

        every_step: those of single steps too. Not of trained weights, where a step that is easy to
        tell leaves the framework next to no error.
        """
        free = (", one sequence",) if every_step else (", one sequence", ", one step")
        bounded = [r for name, r in self.ratios().items() if not name.endswith(free)]
        return max(r if r == r else float("inf") for r in bounded)


def compare(
    config: Any,
    decoding: Decoding,
    weights: Sequence[Weights],
    batches: Sequence[Sequence[torch.Tensor]],
    count: int,
) -> list[Comparison]:
    """`count` tokens after each prompt of each batch. weights: the same twice, of the reference and
    of ours."""
    reference = Reference(config, weights[0], decoding.device)
    wanted = [reference.logits(prompts, count) for prompts in batches]
    reference.to_bf16()
    theirs = [
        reference.logits(prompts, count, tokens)[1]
        for prompts, (tokens, _) in zip(batches, wanted, strict=True)
    ]
    del reference
    torch.cuda.empty_cache()
    decoding.program.bind(weights[1])
    found = []
    for prompts, (tokens, logits), other in zip(batches, wanted, theirs, strict=True):
        ours, greedy = continued(decoding, prompts, tokens)
        found.append(Comparison(errors(ours, logits), errors(other, logits), greedy))
    return found


def continued(
    decoding: Decoding, prompts: Sequence[torch.Tensor], tokens: torch.Tensor
) -> tuple[torch.Tensor, tuple[int, int]]:
    """Our logits, f32 [count, B, V], from which the forced `tokens`, i64 [count, B], are taken; and
    how many of our own greedy tokens are these, out of how many."""
    count, lengths = len(tokens), [len(prompt) for prompt in prompts]
    first, logits = decoding.prefill(prompts)
    run = decoding.prepare(
        tokens[0], lengths, count - 1, forced=tokens[: count - 1], keep_logits=True
    )
    decoding.run(run.steps)
    ours = torch.cat((logits[None], run.logits)).float()
    free = decoding.prepare(first, lengths, count - 1)
    decoding.run(free.steps)
    return ours, (int((free.tokens == tokens).sum()), tokens.numel())


def errors(logits: torch.Tensor, wanted: torch.Tensor) -> dict[str, torch.Tensor]:
    """Of each row of logits [..., V]: the largest error by the largest logit, and the root mean
    square of the error by that of the logits."""
    difference = logits - wanted
    return {
        "max": difference.abs().amax(-1) / wanted.abs().amax(-1),
        "rms": difference.norm(dim=-1) / wanted.norm(dim=-1),
    }
