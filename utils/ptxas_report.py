#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Assemble the PTX of an exported program (export-program) and say what registers it takes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))

from etc_mlir.ptxas import assemble


def main() -> None:
    tables = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    made = assemble(tables["ptx"])
    print(f"{tables['name']}: {made.registers} registers, {made.spill_bytes} bytes spilled")


if __name__ == "__main__":
    main()
