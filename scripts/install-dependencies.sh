#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what the library, its tests, examples and benchmarks need. Asks for nothing when all is there.
# usage: scripts/install-dependencies.sh [further Debian packages]...
set -euo pipefail

packages=(
  g++ cmake ninja-build
  libeigen3-dev librandom123-dev                                  # the core
  libthrust-dev                                                   # the CUDA backend, tested on the CPU
  libpng-dev libjpeg-dev zlib1g-dev libxxhash-dev nlohmann-json3-dev # io/
  libopenmpi-dev openmpi-bin                                      # distributed/mpi_*
  libcli11-dev doctest-dev libbenchmark-dev dataset-fashion-mnist # programs, tests, benchmarks, data
  pkgconf                                                         # the test of the installed package
  python3-numpy                                                   # the example in Python
  gdb                                                             # the test of its printers
  "$@"
)

if ! command -v apt-get >/dev/null; then
  echo "Not a Debian system. These must be installed (under their Debian names): ${packages[*]}" >&2
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
((${#missing[@]} > 0)) || exit 0

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || { echo "As root, run: apt-get install ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "Installing: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "${missing[@]}"
