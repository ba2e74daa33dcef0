#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Whole networks by consistency::compiled in a build for any processor, beside header-only builds for one: for this one, and
# for AVX2 with the core lowered to it. Prints the least time of each and their quotient.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: bench/dispatch.sh [--rounds N] [--filter REGEX]
  --rounds N       how often each program runs, in turns (default 3)
  --filter REGEX   only networks whose name matches
Fails where a portable build takes more than 1.05 times a native one's time, and where nothing was compared.
TEXT
}

rounds=3 filter=.
while (($# > 0)); do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --rounds | --filter)
      (($# > 1)) || { echo "dispatch.sh: $1 needs a value" >&2; exit 2; }
      if [[ $1 == --rounds ]]; then rounds=$2; else filter=$2; fi
      shift 2
      ;;
    *) echo "dispatch.sh: unexpected argument: $1" >&2; usage >&2; exit 2 ;;
  esac
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
(cd "$root" && cmake --preset release >/dev/null &&
  cmake --build --preset release --parallel "$(nproc)" --target bench_networks_portable bench_networks_native bench_networks_avx2)
programs=$root/build/release/bench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run NAME PROGRAM [VARIABLE=VALUE]: appends "network milliseconds" to $work/NAME, and tells the instructions once.
run() {
  env "${@:3}" "$programs/bench_networks_$2" "--benchmark_filter=$filter" --benchmark_format=csv >"$work/csv" 2>"$work/log"
  [[ -f $work/$1 ]] || printf '%-17s %s\n' "$1" "$(sed -n 's/^instructions: //p' "$work/log")"
  awk -F, '/^"/ { gsub(/"/, "", $1); print $1, $3 }' "$work/csv" >>"$work/$1"
}

for ((round = 0; round < rounds; ++round)); do
  run native native
  run portable portable
  run native-avx2 avx2
  run portable-avx2 portable CONSISTENCY_INSTRUCTIONS=avx2
done

status=0
compare() {
  printf '\n%-58s %12s %12s %8s\n' "ms" "$1" "$2" "quotient"
  awk -v right="$2" 'function least(table) { if (!($1 in table) || $2 < table[$1]) table[$1] = $2 }
       NR == FNR { if (!($1 in a)) order[++n] = $1; least(a); next }
       { least(b) }
       END {
         for (i = 1; i <= n; ++i) {
           k = order[i]
           if (!(k in b)) { print k ": no time of " right; slow = 1; continue }
           printf "%-58s %12.2f %12.2f %8.3f\n", k, a[k], b[k], b[k] / a[k]
           if (b[k] > 1.05 * a[k]) slow = 1
         }
         if (!n) print "nothing was compared"
         exit slow || !n
       }' "$work/$1" "$work/$2" || status=1
}
compare native portable
compare native-avx2 portable-avx2
exit $status
