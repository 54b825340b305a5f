#!/usr/bin/env bash
# setup.sh: install what the build and the tests need, and nothing that is there.
# Idempotent; a second run takes well under a second.
#
#   ETC_VENV    the Python environment (default: .venv)
#   ETC_PYTHON  the Python that it is made from, 3.11 or newer (default: python3)
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${ETC_VENV:-$PWD/.venv}
python=${ETC_PYTHON:-python3}
apt_packages=(libmlir-22-dev mlir-22-tools llvm-22-dev llvm-22-tools clang-22 lld-22 clang-format-22
  libclang-rt-22-dev cmake ninja-build ccache libzstd-dev zlib1g-dev)

say() { printf '[setup] %s\n' "$*"; }
die() { printf '[setup] error: %s\n' "$*" >&2; exit 1; }

have_apt_package() {
  [[ $(dpkg-query -W -f='${Status}' "$1" 2>/dev/null) == "install ok installed" ]]
}

# What the chosen Python lacks to make an environment and to build a module.
python_apt_packages() {
  "$python" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
  "$python" -c 'import os, sysconfig, sys
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' \
    2>/dev/null || echo python3-dev
}

install_system_packages() {
  command -v dpkg-query >/dev/null || die "this is no Debian: install these packages' equivalents" \
    "(LLVM and MLIR 22, CMake, Ninja) and see utils/build.sh: ${apt_packages[*]}"
  command -v "$python" >/dev/null || apt_packages+=(python3)
  local missing=() package sudo=()
  for package in "${apt_packages[@]}" $(python_apt_packages); do
    have_apt_package "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || { say "system packages: all there"; return; }
  say "system packages to install: ${missing[*]}"
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "needs root: run 'apt-get install ${missing[*]}' as root, then try again"
    sudo=(sudo)
  fi
  "${sudo[@]}" apt-get update -q
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
    "${missing[@]}" || die "apt-get failed; on Debian 12 LLVM 22 comes from bookworm-security"
}

install_python_packages() {
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "needs Python 3.11 or newer, $python is $("$python" -V); set ETC_PYTHON"
  local pip=("$venv/bin/python" -m pip --disable-pip-version-check install --progress-bar off)
  if [[ ! -x $venv/bin/python ]]; then
    say "Python environment: creating $venv"
    "$python" -m venv "$venv"
  fi
  say "Python packages: installing the versions of requirements-dev.txt (torch first; minutes)"
  # PyTorch first and by itself, so that a local build for CPUs wins where there is one.
  "${pip[@]}" -q "$(grep '^torch==' requirements-dev.txt)"
  "${pip[@]}" -q -r requirements-dev.txt
  # These would pull in more than we use: other frameworks, a CUDA runtime.
  "${pip[@]}" -q --no-deps -r requirements-nodeps.txt
}

# The PTX assembler: the machine's own, or else the one of the PyPI package.
install_ptxas() {
  local own
  own=$(PATH=${PATH//$venv\/bin:/} command -v ptxas || true)
  if [[ -n $own ]]; then
    say "ptxas: $own"
    return
  fi
  say "ptxas: none on PATH, installing it from PyPI"
  "$venv/bin/python" -m pip --disable-pip-version-check install -q --no-deps -r requirements-cuda.txt
  ln -sf "$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/nvidia/cu13/bin/ptxas" \
    "$venv/bin/ptxas"
}

# `etc` and `import etc_mlir` work in the environment without an install of this tree.
link_source_tree() {
  local site
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  echo "$PWD/python" > "$site/etc_mlir_source_tree.pth"
  printf '#!/bin/sh\nexec "%s" -m etc_mlir.cli "$@"\n' "$venv/bin/python" > "$venv/bin/etc"
  chmod +x "$venv/bin/etc"
}

stamp=$venv/.etc-setup
wanted=$(cat "$0" requirements-*.txt <(echo "$PWD") | sha256sum)
if [[ -f $stamp && $(<"$stamp") == "$wanted" && -x $venv/bin/python ]] &&
   command -v mlir-tblgen-22 clang-22 ninja cmake >/dev/null; then
  say "up to date ($venv)"
  exit 0
fi
install_system_packages
install_python_packages
install_ptxas
link_source_tree
echo "$wanted" > "$stamp"
say "done: system packages and $venv are ready"
