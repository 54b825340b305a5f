#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Start a pass: its TableGen entry, source, CMake line and test, all of one stem.

utils/new_pass.py FuseEvents --on ::etc::task::GraphOp --in Transforms
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LICENCE = """//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
"""
ENTRY = """def {stem}Pass : Pass<"{flag}", "{op}"> {{
  let summary = "TODO";
  let description = [{{
    Requires: TODO.

    Guarantees: TODO.

    Deliberately does not: TODO.

    (* example filepath={test} *)
  }}];
}}

"""
SOURCE = """//===- {stem}.cpp - TODO
{licence}
#include "dialects/task/TaskOps.h"
#include "lib/{folder}/Passes.h"

namespace etc {{
#define GEN_PASS_DEF_{upper}PASS
#include "lib/{folder}/Passes.h.inc"
}} // namespace etc

using namespace mlir;
using namespace etc;

namespace {{
struct {stem} : etc::impl::{stem}PassBase<{stem}> {{
  void runOnOperation() override {{}}
}};
}} // namespace
"""
TEST = """// RUN: etc-opt %s -{flag} | FileCheck %s

// CHECK-LABEL: TODO
"""


def insert_before(path: Path, mark: str, text: str) -> None:
    """Inserts `text` before the last occurrence of `mark` in the file."""
    old = path.read_text()
    position = old.rindex(mark)
    path.write_text(old[:position] + text + old[position:])


def main() -> int:
    parser = argparse.ArgumentParser(description="Start a pass.")
    parser.add_argument("stem", help="the name in CamelCase, verb first: FuseEvents")
    parser.add_argument("--on", default="::mlir::ModuleOp", help="the operation it runs on")
    parser.add_argument("--in", dest="folder", default="Transforms", help="folder below lib/")
    args = parser.parse_args()
    stem, folder = args.stem, args.folder
    if not re.fullmatch(r"(?:[A-Z][a-z0-9]+)+", stem):
        parser.error(f"{stem!r} is not CamelCase")
    flag = re.sub(r"(?<!^)(?=[A-Z])", "-", stem).lower()
    home = ROOT / "lib" / folder
    test = ROOT / "test" / "lit" / folder / f"{flag}.mlir"
    source = home / f"{stem}.cpp"
    if source.exists() or test.exists():
        parser.error(f"{source.name} or {test.name} exists")
    names = {
        "stem": stem,
        "flag": flag,
        "op": args.on,
        "upper": stem.upper(),
        "folder": folder,
        "licence": LICENCE,
        "test": test.relative_to(ROOT),
    }
    insert_before(home / "Passes.td", "#endif", ENTRY.format(**names))
    source.write_text(SOURCE.format(**names))
    insert_before(home / "CMakeLists.txt", "  DEPENDS", f"  {source.name}\n")
    test.parent.mkdir(parents=True, exist_ok=True)
    test.write_text(TEST.format(**names))
    print(f"wrote {source.relative_to(ROOT)}, {test.relative_to(ROOT)}; added the pass to")
    print(f"lib/{folder}/Passes.td and CMakeLists.txt. Left to do: every TODO, then `make docs`.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
