# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compile the graphs of examples/graphs for a GPU, on any machine with etc-opt and ptxas.

    python benchmarks/build_packages.py FOLDER [NAME ...] [--etc-opt build/tools/etc-opt/etc-opt]

Writes FOLDER/NAME.etc for each NAME.mlir, which holds a scheduled graph.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from etc_mlir.package import Package

ROOT = Path(__file__).resolve().parents[1]
GRAPHS = ROOT / "examples" / "graphs"

DEVICE = (
    "convert-task-to-nvvm,canonicalize,cse,expand-strided-metadata,lower-affine,"
    "convert-scf-to-cf,convert-to-llvm,convert-gpu-to-nvvm,reconcile-unrealized-casts,"
    "canonicalize,cse"
)
PIPELINE = (
    "builtin.module(lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,"
    f"plan-shared-memory,lower-tiles-to-gpu,gpu.module({DEVICE}),"
    "nvvm-attach-target{chip=sm_90a features=+ptx90 O=3},gpu-module-to-binary{format=isa},"
    "export-program)"
)


def commit() -> str:
    """The commit of the compiler."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def build(source: Path, etc_opt: str) -> Package:
    """The package of a scheduled graph."""
    done = subprocess.run(
        [etc_opt, str(source), f"--pass-pipeline={PIPELINE}", "-o", "/dev/null"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return Package.assemble(done.stdout, commit=commit())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="by default every graph of examples/graphs")
    parser.add_argument("--etc-opt", default=str(ROOT / "build/tools/etc-opt/etc-opt"))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or sorted(path.stem for path in GRAPHS.glob("*.mlir")):
        package = build(GRAPHS / f"{name}.mlir", arguments.etc_opt)
        package.write(arguments.folder / f"{name}.etc")
        print(f"{name}: {package.registers} registers, {len(package.cubin)} bytes of machine code")


if __name__ == "__main__":
    main()
