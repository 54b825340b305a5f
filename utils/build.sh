#!/usr/bin/env bash
# build.sh: configure ./build once, then build what changed. The environment comes from the Makefile.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${ETC_VENV:-$PWD/.venv}
export CCACHE_SLOPPINESS=pch_defines,time_macros
if [[ ! -f build/build.ninja ]]; then
  echo "[build] configuring ./build"
  options=(-DPython_EXECUTABLE="$venv/bin/python")
  [[ -f python/CMakeLists.txt ]] && options+=(-DETC_ENABLE_PYTHON=ON)
  cmake --preset dev "${options[@]}"
fi
echo "[build] ninja -C build"
ninja -C build
echo "[build] done: build/tools/etc-opt/etc-opt is up to date"
