# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Python in a process of its own that has no compiler, as where a package is run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

_HIDE = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name == "etc_mlir._etc" or name.split(".")[0] in ("torch_mlir", "transformers"):
            raise ImportError("hidden: " + name)
sys.meta_path.insert(0, Hide())
"""


def run_without_compiler(program: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Runs `program` with the native module and the frameworks of the import hidden."""
    return subprocess.run(
        [sys.executable, "-c", _HIDE + program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "python"), "HOME": str(home)},
    )
