# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The small models at the levels of the compiler."""

from __future__ import annotations

import functools

from import_models import imported

from etc_mlir import _etc

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
