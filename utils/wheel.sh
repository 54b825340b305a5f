#!/usr/bin/env bash
# wheel.sh: build dist/etc_mlir-*.whl with MLIR and LLVM linked statically, then import it in an empty environment.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${ETC_VENV:-$PWD/.venv}
export CCACHE_SLOPPINESS=pch_defines,time_macros
export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
mkdir -p dist
echo "[wheel] building (the static link takes a minute)"
"$venv/bin/python" -m pip --disable-pip-version-check wheel -q --no-deps --no-build-isolation -w dist .
wheel=$(ls -t dist/etc_mlir-*.whl | head -1)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$venv/bin/python" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip --disable-pip-version-check install -q --no-deps "$wheel"
(cd "$scratch" && env -u PYTHONPATH "$scratch/venv/bin/python" -c 'import etc_mlir._etc as etc; print("[wheel] imports", etc.__file__)')
echo "[wheel] done: $wheel, $(du -h "$wheel" | cut -f1)"
