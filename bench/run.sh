#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the benchmarks of the release preset and runs them all.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: bench/run.sh [--json DIR] [--filter REGEX]
  --json DIR       also writes DIR/<program>.json, for bench/compare_runs.py
  --filter REGEX   only benchmarks whose name matches
Without a filter the compile time of the headers is measured too.
TEXT
}

fail() {
  echo "run.sh: $1" >&2
  usage >&2
  exit 2
}

json=
filter=
while (($# > 0)); do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --json=* | --filter=*) set -- "${1%%=*}" "${1#*=}" "${@:2}"; continue ;;
    --json | --filter)
      if (($# < 2)) || [[ -z $2 || $2 == --* ]]; then fail "$1 needs a value"; fi
      if [[ $1 == --json ]]; then json=$2; else filter=$2; fi
      shift 2
      ;;
    *) fail "unexpected argument: $1" ;;
  esac
done
if [[ -n $json ]]; then
  mkdir -p "$json"
  json=$(cd "$json" && pwd)
fi

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
(cd "$here/.." && cmake --preset release && cmake --build --preset release --parallel "$(nproc)" --target consistency_bench)

ran=0
for source in "$here"/*.cpp; do
  name=$(basename "$source" .cpp)
  program=$here/../build/release/bench/bench_$name
  [[ -x $program ]] || { echo "run.sh: $program was not built; is Google Benchmark installed?" >&2; exit 1; }
  chosen=$("$program" --benchmark_list_tests=true "--benchmark_filter=${filter:-.}" 2>/dev/null || true)
  if [[ -z $chosen ]]; then continue; fi
  output=()
  if [[ -n $json ]]; then output=("--benchmark_out=$json/$name.json" --benchmark_out_format=json); fi
  echo
  "$program" "--benchmark_filter=${filter:-.}" --benchmark_counters_tabular=true "${output[@]}"
  ran=$((ran + 1))
done
((ran > 0)) || { echo "run.sh: no benchmark matches: $filter" >&2; exit 1; }

if [[ -z $filter ]]; then
  echo
  "$here"/headers.sh ${json:+--write "$json/headers.json"}
fi
