# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compile the graphs of examples/graphs for a GPU, on any machine with etc-opt and ptxas.

    python benchmarks/build_packages.py FOLDER [NAME ...] [--etc-opt build/tools/etc-opt/etc-opt]

Writes FOLDER/NAME.etc for each NAME.mlir, which holds a step on tensors, a graph without
events, or a scheduled graph.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from etc_mlir.package import Package

ROOT = Path(__file__).resolve().parents[1]
GRAPHS = ROOT / "examples" / "graphs"

# Rows of a weight that one task multiplies; 32 are two tiles of the tensor cores.
LINEAR_ROWS = {"mlp_chain_384": 32}
WORKERS = 132

DEVICE = (
    "convert-task-to-nvvm,canonicalize,cse,expand-strided-metadata,lower-affine,"
    "convert-scf-to-cf,convert-to-llvm,convert-gpu-to-nvvm,reconcile-unrealized-casts,"
    "canonicalize,cse"
)
BACKEND = (
    "lower-to-persistent{roles=loader,consumer},outline-gpu-kernel,"
    f"plan-shared-memory,lower-tiles-to-gpu,gpu.module({DEVICE}),"
    "nvvm-attach-target{chip=sm_90a features=+ptx90 O=3},gpu-module-to-binary{format=isa},"
    "export-program"
)


def pipeline(source: Path) -> str:
    """The passes from what the file holds to a package's tables."""
    rows = LINEAR_ROWS.get(source.stem, 16)
    schedule = (
        f"decompose-to-tasks{{workers={WORKERS} tile=linear:0x{rows}}},"
        "task.graph(infer-events,fuse-events,plan-global-memory,verify-events),"
        f"schedule-static{{workers={WORKERS}}},verify-schedule,prefetch-weights,pack-weights,"
    )
    is_scheduled = "\ntask.schedule" in source.read_text(encoding="utf-8")
    return f"builtin.module({'' if is_scheduled else schedule}{BACKEND})"


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
    """The package of the graph in `source`."""
    done = subprocess.run(
        [etc_opt, str(source), f"--pass-pipeline={pipeline(source)}", "-o", "/dev/null"],
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
