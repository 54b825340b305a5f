#!/usr/bin/env bash
# build.sh: configure ./build where needed, then build what changed.
# The environment comes from the Makefile.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${ETC_VENV:-$PWD/.venv}
export CCACHE_SLOPPINESS=pch_defines,time_macros

stamp=build/.etc-configured
wanted="$(sha256sum CMakePresets.json) $venv"
if [[ ! -f build/build.ninja || ! -f $stamp || $(<"$stamp") != "$wanted" ]]; then
  echo "[build] configuring ./build"
  cmake --preset dev -DPython_EXECUTABLE="$venv/bin/python"
  echo "$wanted" > "$stamp"
fi
echo "[build] ninja -C build"
ninja -C build
echo "[build] done: etc-opt, etc-lsp-server and the Python module are up to date"
