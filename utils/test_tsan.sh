#!/usr/bin/env bash
# test_tsan.sh: compiled graphs and the CPU runtime under thread sanitizer.
set -euo pipefail
cd "$(dirname "$0")/.."
exec "${ETC_VENV:-$PWD/.venv}/bin/python" -m pytest -q test/tsan
