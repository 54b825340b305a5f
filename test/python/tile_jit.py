# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles a function on memrefs for the host and calls it with torch tensors.

Goes through `etc-opt` and clang rather than the product's own JIT, so that a test of a lowering
fails for the lowering alone.
"""

import ctypes
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch

REPOSITORY = Path(__file__).resolve().parents[2]
ELEMENTS = {torch.float32: "f32", torch.bfloat16: "bf16", torch.int64: "i64"}
PIPELINE = (
    "--lower-tiles-to-loops",
    "--convert-linalg-to-loops",
    "--canonicalize",
    "--cse",
    "--convert-vector-to-scf",
    "--arith-expand=include-bf16=true",
    "--expand-strided-metadata",
    "--lower-affine",
    "--convert-scf-to-cf",
    "--convert-vector-to-llvm",
    "--convert-math-to-llvm",
    "--convert-arith-to-llvm",
    "--finalize-memref-to-llvm",
    "--convert-func-to-llvm",
    "--convert-cf-to-llvm",
    "--reconcile-unrealized-casts",
)


def _tool(name: str) -> str:
    """The path of a tool: of this build, or of LLVM 22. Raises FileNotFoundError."""
    built = REPOSITORY / "build" / "tools" / name / name
    found = str(built) if built.exists() else shutil.which(name)
    upstream = Path("/usr/lib/llvm-22/bin") / name
    if not found and upstream.exists():
        found = str(upstream)
    if not found:
        raise FileNotFoundError(f"{name} is neither built nor on the PATH")
    return found


def memref_type(tensor: torch.Tensor, dynamic: tuple[int, ...] = ()) -> str:
    """The memref type of a tensor's view, with the dimensions `dynamic` left open."""
    shape = "".join("?x" if i in dynamic else f"{n}x" for i, n in enumerate(tensor.shape))
    strides = ", ".join(str(stride) for stride in tensor.stride())
    return f"memref<{shape}{ELEMENTS[tensor.dtype]}, strided<[{strides}], offset: ?>>"


@functools.cache
def compile_text(text: str) -> ctypes.CDLL:
    """The shared library of a module of `llvm.emit_c_interface` functions."""

    def run(command: list[str], given: str) -> str:
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    lowered = run([_tool("etc-opt"), *PIPELINE], text)
    llvm = run([_tool("mlir-translate"), "--mlir-to-llvmir"], lowered)
    with tempfile.TemporaryDirectory() as folder:
        library = os.path.join(folder, "tile.so")
        options = ["-O3", "-march=native", "-shared", "-fPIC", "-Wno-override-module", "-lm"]
        run([_tool("clang"), "-x", "ir", "-", *options, "-o", library], llvm)
        return ctypes.CDLL(library)


def descriptor(tensor: torch.Tensor) -> ctypes.Array:
    """{allocated, aligned, offset, sizes, strides}, as MLIR passes a memref."""
    words = [tensor.data_ptr(), tensor.data_ptr(), 0, *tensor.shape, *tensor.stride()]
    return (ctypes.c_int64 * len(words))(*words)


def run_tile(body: str, dynamic: dict[str, tuple[int, ...]], **tensors: torch.Tensor) -> None:
    """Runs one operation on `tensors`, named %name in `body`, whose types replace {name}.

    `dynamic` says which dimensions of a tensor the type leaves open. Destinations are written in
    place.
    """
    types = {name: memref_type(t, dynamic.get(name, ())) for name, t in tensors.items()}
    parameters = ", ".join(f"%{name}: {type_}" for name, type_ in types.items())
    text = (
        f"func.func @tile({parameters}) attributes {{llvm.emit_c_interface}} {{\n"
        f"  {body.format(**types)}\n  return\n}}\n"
    )
    compile_text(text)._mlir_ciface_tile(*(ctypes.byref(descriptor(t)) for t in tensors.values()))
