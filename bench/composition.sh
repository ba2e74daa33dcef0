#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Counts the instructions of a perceptron's training step, composed from policies and written by hand, under
# callgrind: what composition costs at run time.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root"/scripts/install-dependencies.sh valgrind
(cd "$root" && cmake --preset release >/dev/null && cmake --build --preset release --target bench_composition)
program=$root/build/release/bench/bench_composition
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

instructions() {  # way, steps
  valgrind --tool=callgrind --callgrind-out-file="$work"/out "$program" "$1" "$2" 2>"$work"/log >"$work"/loss ||
    { cat "$work"/log >&2; exit 1; }
  sed -n 's/^summary: //p; s/^totals: //p' "$work"/out | head -1
}

few=5 many=25
for way in hand composed; do
  low=$(instructions "$way" "$few")
  high=$(instructions "$way" "$many")
  printf '%-9s %d instructions a step, loss after %d steps %s\n' "$way" $(((high - low) / (many - few))) "$many" "$(<"$work"/loss)"
  declare "$way=$((high - low))"
done
awk -v composed="$composed" -v hand="$hand" 'BEGIN {
  ratio = composed / hand
  printf "composed / hand = %.4f\n", ratio
  exit !(ratio < 1.01 && ratio > 0.99)
}'
