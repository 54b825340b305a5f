# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PTX to machine code: find ptxas, run it, and read what it says of registers and spills."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from etc_mlir.errors import CompileError, TargetError


@dataclasses.dataclass(frozen=True)
class Assembly:
    """A cubin and what ptxas reported of its kernel."""

    cubin: bytes
    registers: int
    spill_bytes: int
    log: str


def find_ptxas() -> Path:
    """ptxas of ETC_PTXAS, of PATH, or of the PyPI package nvidia-cuda-nvcc. Raises TargetError."""
    if named := os.environ.get("ETC_PTXAS"):
        return Path(named)
    if found := shutil.which("ptxas"):
        return Path(found)
    spec = importlib.util.find_spec("nvidia")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for candidate in sorted(Path(folder).glob("*/bin/ptxas")):
            return candidate
    raise TargetError(
        "no ptxas: put CUDA's bin folder on PATH, set ETC_PTXAS to the program, or "
        "pip install nvidia-cuda-nvcc"
    )


def assemble(ptx: str, arch: str = "sm_90a") -> Assembly:
    """Assembles `ptx` for `arch`. Raises CompileError with ptxas's own message."""
    ptxas = find_ptxas()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "kernel.ptx", Path(folder) / "kernel.cubin"
        source.write_text(ptx, encoding="utf-8")
        command = [str(ptxas), f"-arch={arch}", "-v", "-O3", str(source), "-o", str(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CompileError("ptxas", done.stderr or done.stdout)
        return Assembly(target.read_bytes(), *_resources(done.stderr), done.stderr)


def _resources(log: str) -> tuple[int, int]:
    """(registers, spilled bytes) out of ptxas -v, the largest of its functions."""
    registers = [int(n) for n in re.findall(r"Used (\d+) registers", log)]
    spills = [int(n) for n in re.findall(r"(\d+) bytes spill (?:stores|loads)", log)]
    return max(registers, default=0), max(spills, default=0)
