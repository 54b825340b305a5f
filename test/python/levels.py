# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The small models at the levels of the compiler."""

from __future__ import annotations

import functools
from typing import Any

import torch
from import_models import MAX_SEQ_LEN, MAX_SEQS, PAGE_TOKENS, imported, model_of

from etc_mlir import _etc
from etc_mlir.interpreter.tensor_level import TensorLevel

TENSOR = ("pipeline-import",)
TASKS = (*TENSOR, "pipeline-decompose{workers=4}")


@functools.cache
def lowered(name: str, *passes: str) -> str:
    """The text of a model of `import_models.CONFIGS` after these passes and pipelines."""
    module = _etc.Module.parse(_etc.Context(), imported(name).text)
    module.run(f"builtin.module({','.join(passes)})")
    return module.str(debug=True)


def parsed(text: str) -> _etc.Module:
    return _etc.Module.parse(_etc.Context(), text)


class OneStep:
    """A step of 5 tokens of two sequences, one of which already has 9 in the cache."""

    def __init__(self, name: str) -> None:
        torch.manual_seed(17)
        found = imported(name)
        held = {**model_of(name).state_dict(), **found.constants}
        self.given = {
            "ids": torch.tensor([5, 90, 3, 44, 71]),
            "seq": torch.tensor([2, 0, 2, 0, 2]),
            "pos": torch.tensor([9, 0, 10, 1, 11]),
            "block_table": torch.randperm(MAX_SEQS * MAX_SEQ_LEN // PAGE_TOKENS).view(MAX_SEQS, -1),
            "rows": torch.tensor([4, 3]),
        }
        for a in found.arguments:
            if a.role == "weight":
                self.given[a.name] = held[a.name]
            elif a.role == "state":
                self.given[a.name] = torch.randn([int(d) for d in a.shape])
        self.expected = TensorLevel(parsed(lowered(name, *TENSOR))).run(self.given)

    def error(self, step: Any) -> float:
        """How far the results are from those of the tensor level; NaN for a poisoned one."""
        got = step.run(self.given)
        assert got.keys() == self.expected.keys()
        errors = [(got[n].double() - self.expected[n].double()).abs().max() for n in got]
        return torch.stack(errors).max().item()
