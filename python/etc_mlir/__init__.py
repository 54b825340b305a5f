# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Hugging Face decoders as one persistent kernel.

The names below are imported on first use, so that `etc_mlir.runtime`, which runs compiled
programs, needs neither PyTorch nor the compiler's native module.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Public name -> the module that defines it.
_LAZY: dict[str, str] = {
    "CompileOptions": "etc_mlir.options",
    "CompiledModel": "etc_mlir.model",
    "compile": "etc_mlir.compiler",
    "load": "etc_mlir.loader",
    "import_model": "etc_mlir.frontend.importer",
}

__all__ = ["__version__", *_LAZY]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    """The public object `name`; AttributeError if there is none."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'etc_mlir' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
