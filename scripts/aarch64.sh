#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Cross-compiles the tests of the kernels that ctest calls kernel/portable for aarch64, with NEON, and runs them in an emulator.
# Needs Debian's g++-aarch64-linux-gnu, qemu-user, libeigen3-dev, librandom123-dev and doctest-dev.
# usage: scripts/aarch64.sh [ARGUMENT OF DOCTEST]...
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
for tool in aarch64-linux-gnu-g++ qemu-aarch64; do
  command -v "$tool" >/dev/null || { echo "aarch64.sh: needs $tool (apt-get install g++-aarch64-linux-gnu qemu-user)" >&2; exit 1; }
done
out=build/aarch64
mkdir -p "$out/include"
# Headers that are the same for every processor; the rest of /usr/include is this machine's.
for folder in /usr/include/eigen3 /usr/include/Random123 /usr/include/doctest; do ln -sfn "$folder" "$out/include/${folder##*/}"; done

# The lists that tests/CMakeLists.txt makes.
types() { sed -n "s/^struct \([A-Za-z0-9_]*\).*/$2::\1,/p" "include/consistency/tensor/$1" | sed '$s/,$//' | tr '\n' ' '; }
sed "s/@operations@/$(types ops.hpp op)/; s/@functions@/$(types elementwise.hpp pointwise)/" tests/tensor/all_operations.hpp.in \
  >"$out/include/all_operations.hpp"

flags=(-std=c++20 -O1 -g0 -Wall -Wextra -Werror -Iinclude -isystem "$out/include" -isystem "$out/include/eigen3")
objects=()
for source in tests/main.cpp tests/kernel/{instruction_set,pack,register_block,random_shapes}.cpp; do
  object=$out/$(basename "$source" .cpp).o
  objects+=("$object")
  if [[ ! -f $object || -n $(find include tests -name '*.[hc]pp' -newer "$object" -print -quit) ]]; then
    echo "$source"
    aarch64-linux-gnu-g++ "${flags[@]}" -c "$source" -o "$object"
  fi
done
aarch64-linux-gnu-g++ "${objects[@]}" -static -pthread -o "$out/test_kernel"
qemu-aarch64 "$out/test_kernel" "$@"
