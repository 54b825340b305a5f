# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compile the graphs of examples/graphs for a GPU, on any machine with ptxas.

    python benchmarks/build_packages.py FOLDER [NAME ...]

Writes FOLDER/NAME.etc for each NAME.mlir, which holds a step on tensors, a graph with or without
events, or a scheduled graph. What has no schedule is scheduled for the workers that WORKERS names,
by default all of the target.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from etc_mlir.compile_gpu import compile_file
from etc_mlir.errors import EtcError
from etc_mlir.options import CompileOptions

GRAPHS = Path(__file__).resolve().parents[1] / "examples" / "graphs"
WORKERS = {"hops_counter": 2, "hops_data": 2}
# Rows of a weight that one task multiplies; 32 are two tiles of the tensor cores.
LINEAR_ROWS = {"mlp_chain_384": 32}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="by default every graph of examples/graphs")
    parser.add_argument("--trace", action="store_true", help="kernels that can record their tasks")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or sorted(path.stem for path in GRAPHS.glob("*.mlir")):
        tiles = {"linear": f"0x{LINEAR_ROWS.get(name, 16)}"}
        options = CompileOptions.of(
            target="h200",
            workers=WORKERS.get(name),
            policy="round-robin",
            tiles=tiles,
            trace=arguments.trace,
        )
        try:
            package = compile_file(GRAPHS / f"{name}.mlir", options)
        except EtcError as error:
            sys.exit(f"{name}: {error}")
        package.write(arguments.folder / f"{name}.etc")
        print(f"{name}: {package.registers} registers, {len(package.cubin)} bytes of machine code")


if __name__ == "__main__":
    main()
