#!/usr/bin/env bash
# format.sh [--check]: clang-format and ruff over the tracked sources, in place or as a check.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ ${1:-} == --check ]]; then
  git ls-files '*.cpp' '*.h' | xargs -r clang-format-22 --dry-run -Werror
  ruff format --check --quiet .
else
  git ls-files '*.cpp' '*.h' | xargs -r clang-format-22 -i
  ruff format --quiet .
  ruff check --quiet --fix .
fi
