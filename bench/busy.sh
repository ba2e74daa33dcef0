#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Sampling and training steps with one and two threads, on an idle machine and beside busy processes.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: bench/busy.sh [--include DIR] [--seconds S] [--json FILE]
  --include DIR   also measures the headers of another checkout, in turns: DIR holds consistency/consistency.hpp
  --seconds S     for each program and number of busy processes (default 12)
  --json FILE     also writes the table, an object a line
The compiler is $CXX (default g++), called with -O3 -march=native. Takes about two and a half minutes with --include.
TEXT
}

fail() {
  echo "busy.sh: $1" >&2
  usage >&2
  exit 2
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
other='' seconds=12 json=''
while (($# > 0)); do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --include=* | --seconds=* | --json=*) set -- "${1%%=*}" "${1#*=}" "${@:2}"; continue ;;
    --include | --seconds | --json)
      if (($# < 2)) || [[ -z $2 || $2 == --* ]]; then fail "$1 needs a value"; fi
      case $1 in --include) other=$2 ;; --seconds) seconds=$2 ;; --json) json=$2 ;; esac
      shift 2
      ;;
    *) fail "unexpected argument: $1" ;;
  esac
done
[[ -z $other || -f $other/consistency/consistency.hpp ]] || fail "no consistency/consistency.hpp in $other"
[[ $seconds =~ ^[1-9][0-9]*$ ]] || fail "--seconds wants a number of seconds: $seconds"

work=$(mktemp -d)
busy_processes=()
stop_busy() {
  if ((${#busy_processes[@]} > 0)); then
    kill "${busy_processes[@]}" 2>/dev/null || true
    wait "${busy_processes[@]}" 2>/dev/null || true
  fi
  busy_processes=()
}
trap 'stop_busy; rm -rf "$work"' EXIT

read -ra eigen < <(pkg-config --cflags eigen3)
compile() {  # headers, program
  "${CXX:-g++}" -std=c++20 -O3 -DNDEBUG -march=native -pthread "-I$1" "${eigen[@]}" "$root/bench/busy.cpp" -o "$work/$2"
}
trees=(here)
compile "$root/include" here &
here=$!
if [[ -n $other ]]; then
  trees+=(other)
  compile "$other" other
fi
wait "$here"

printf '%s, load before: %s\n\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(cut -d' ' -f1-3 /proc/loadavg)"
printf '%4s  %-18s %-6s %12s %12s %10s %6s\n' busy work tree 'one, ms' 'two, ms' 'two / one' pairs
[[ -z $json ]] || : >"$json"
for busy in 0 1 2 6; do
  for ((i = 0; i < busy; ++i)); do
    while :; do :; done &
    busy_processes+=($!)
  done
  for tree in "${trees[@]}"; do
    "$work/$tree" "$seconds" | sed "s/^/$tree /"
  done >"$work/lines"
  stop_busy
  sort -s -k2,2 "$work/lines" | while read -r tree name one two ratio pairs; do
    mark=$(awk -v r="$ratio" 'BEGIN { print (r > 1.05 ? "!" : "") }')
    printf '%4d  %-18s %-6s %12s %12s %10s %6s %s\n' "$busy" "$name" "$tree" "$one" "$two" "$ratio" "$pairs" "$mark"
    [[ -z $json ]] || printf '{"busy": %d, "work": "%s", "tree": "%s", "one": %s, "two": %s, "ratio": %s, "pairs": %d}\n' \
      "$busy" "$name" "$tree" "$one" "$two" "$ratio" "$pairs" >>"$json"
  done
done
printf '\n! two threads slower than one by more than 5 percent\n'
