# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The torch operators that `convert-torch-to-task` knows: the one list of them in Python.

Names are those of the imported text without the `torch.` prefix. docs/import.md gives the operand
forms; test/python/test_import.py holds this list, that page and the imported models together.
"""

from __future__ import annotations

CUSTOM_OPS = frozenset(
    {
        "etc.rms_norm",
        "etc.rope_table",
        "etc.rope",
        "etc.kv_append",
        "etc.paged_attention",
        "etc.argmax",
    }
)

ATEN_OPS = frozenset(
    {
        "aten.embedding",
        "aten.linear",
        "aten.silu",
        "aten.mul.Tensor",
        "aten.add.Tensor",
        "aten.view",
        "aten.squeeze.dim",
        "aten.unsqueeze",
        "aten.index_select",
    }
)

# Shape arithmetic; operands and results are `!torch.int`.
SHAPE_OPS = frozenset({"aten.size.int"})

SUPPORTED_OPS = CUSTOM_OPS | ATEN_OPS | SHAPE_OPS
