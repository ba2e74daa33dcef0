#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Trains a consistency model on Fashion-MNIST from nothing and samples from it in one step.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/demo.sh [--minutes M] [--out DIR] [options of fashion_mnist_train]...
  --minutes M   how long to train (default 10)
  --out DIR     where pictures, report and weights go (default ./demo)
TEXT
}

fail() {
  echo "demo.sh: $1" >&2
  usage >&2
  exit 2
}

minutes=10
out=./demo
further=()
while (($# > 0)); do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --minutes=* | --out=*) set -- "${1%%=*}" "${1#*=}" "${@:2}"; continue ;;
    --minutes | --out)
      if (($# < 2)) || [[ -z $2 || $2 == --* ]]; then fail "$1 needs a value"; fi
      if [[ $1 == --minutes ]]; then minutes=$2; else out=$2; fi
      shift 2
      ;;
    --?*)  # an option of the program, with the values that follow it
      further+=("$1")
      shift
      while (($# > 0)) && [[ $1 != --* ]]; do further+=("$1"); shift; done
      ;;
    *) fail "unexpected argument: $1" ;;
  esac
done
[[ $minutes =~ ^[0-9]+(\.[0-9]+)?$ && $minutes =~ [1-9] ]] || fail "--minutes must be a positive number, found: $minutes"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root"/scripts/install-dependencies.sh
cuda=OFF  # compiling the kernels by nvcc takes longer than all else
if [[ "${further[*]}" == *--device[\ =]cuda* ]]; then cuda=ON; fi
(cd "$root" && cmake --preset release -DCONSISTENCY_CUDA=$cuda)
(cd "$root" && cmake --build --preset release --parallel "$(nproc)" --target fashion_mnist_train fashion_mnist_sample)

mkdir -p "$out"
"$root"/build/release/examples/fashion_mnist_train --minutes "$minutes" --out "$out" "${further[@]}"

echo
for result in samples_1step.png report.html; do
  [[ -f $out/$result ]] || { echo "demo.sh: $out/$result was not written" >&2; exit 1; }
  realpath "$out/$result"
done
