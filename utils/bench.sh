#!/usr/bin/env bash
# bench.sh: measure this machine. The CPU's numbers are printed and kept in build/bench; those of a
# GPU go to benchmarks/results, from which README.md has its tables.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${ETC_VENV:-$PWD/.venv}/bin/python
mkdir -p build/bench benchmarks/results
echo "[bench] CPU: tokens per second of the demo's model"
"$python" -m etc_mlir.cli bench decode --json build/bench/decode.json
if "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
  echo "[bench] GPU: what an event costs"
  "$python" benchmarks/build_packages.py build/bench/packages
  "$python" benchmarks/hops.py build/bench/packages
  "$python" utils/results_table.py
  echo "[bench] done: build/bench/decode.json, benchmarks/results, README.md"
else
  echo "[bench] done: build/bench/decode.json (PyTorch sees no GPU here, so none was measured)"
fi
