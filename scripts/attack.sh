#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Attacks the library: kills, failing system calls and allocations, damaged files, fuzzed parsers. Prints one table.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/attack.sh [--minutes M] [--seed N] [--only WORD]
  --minutes M   how long to attack, shared evenly by the five ways (default 10); building comes on top
  --seed N      repeats the choices of an earlier attack (default: a new one, which is printed)
  --only WORD   kill, system_calls, corruption, allocation or fuzz alone, for the whole time
Exit status 1 if a promise was broken; what broke it is kept in the folder that is named.
TEXT
}

fail() {
  echo "attack.sh: $1" >&2
  usage >&2
  exit 2
}

minutes=10
seed=$((RANDOM * 32768 + RANDOM))
only=
while (($# > 0)); do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --minutes | --seed | --only)
      (($# >= 2)) || fail "$1 needs a value"
      case $1 in
        --minutes) minutes=$2 ;;
        --seed) seed=$2 ;;
        --only) only=$2 ;;
      esac
      shift 2
      ;;
    *) fail "unexpected argument: $1" ;;
  esac
done
[[ $minutes =~ ^[0-9]+(\.[0-9]+)?$ && $minutes =~ [1-9] ]] || fail "--minutes must be a positive number, found: $minutes"
[[ $seed =~ ^[0-9]+$ ]] || fail "--seed must be a whole number, found: $seed"

ways=(kill system_calls corruption allocation fuzz)
if [[ -n $only ]]; then
  [[ " ${ways[*]} " == *" $only "* ]] || fail "--only must be one of: ${ways[*]}; found: $only"
  ways=("$only")
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/install-dependencies.sh

# What the attacks write and throw away: in memory where possible, since they bring every file to disk.
parent=${TMPDIR:-/tmp}
if [[ -w /dev/shm ]]; then parent=/dev/shm; fi
scratch=$(mktemp -d "$parent/attack-XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# Clang has libFuzzer and the sanitizers in a package of its own; without them GCC compiles tests/fuzz/driver.cpp.
has_libfuzzer() {
  command -v "$1" >/dev/null || return 1
  echo 'extern "C" int LLVMFuzzerTestOneInput(unsigned char const*, decltype(sizeof 0)) { return 0; }' >"$scratch/empty.cpp"
  "$1" -fsanitize=fuzzer,address,undefined "$scratch/empty.cpp" -o "$scratch/empty" 2>/dev/null
}
compiler=${CXX:-}
if [[ -z $compiler ]]; then
  scripts/install-dependencies.sh clang-19 libclang-rt-19-dev || true
  compiler=c++
  if has_libfuzzer clang++-19; then compiler=clang++-19; fi
fi
compiler=$(command -v "$compiler") || fail "no such compiler: ${CXX:-c++}"
fresh=()  # another compiler than before: CMake would forget the preset's settings
if [[ -f build/attack/CMakeCache.txt ]] && ! grep -q "^CMAKE_CXX_COMPILER:[A-Z]*=$compiler\$" build/attack/CMakeCache.txt; then fresh=(--fresh); fi
cmake --preset attack "${fresh[@]}" -DCMAKE_CXX_COMPILER="$compiler" >/dev/null
cmake --build --preset attack --parallel "$(nproc)" --target attack
programs=build/attack/tests/fuzz

found=build/attack/findings/$seed
rm -rf "$found"
mkdir -p "$found"
export TMPDIR=$scratch
table=$scratch/table
seconds=$(awk -v m="$minutes" -v n="${#ways[@]}" 'BEGIN { s = m * 60 / n; printf "%d", s < 1 ? 1 : s + 0.5 }')
"$programs/attack_seeds" "$scratch/seeds"  # as the formats are now; the corpus has what older attacks began with
echo "Attacking for $minutes minutes; seed $seed"

# One program of tests/fuzz. A program that does not come to its end has broken a promise itself.
attack() {
  local status=0
  echo "--- $1, $seconds s"
  "$programs/attack_$1" --seconds "$seconds" --seed "$seed" --folder "$scratch/$1" >"$scratch/$1.table" || status=$?
  cat "$scratch/$1.table" >>"$table"
  if ((status > 1)); then printf 'the attack "%s" comes to its end\t1\t1\n' "$1" >>"$table"; fi
  if ((status != 0)); then
    mkdir -p "$found/$1"
    cp -r "$scratch/$1" "$found"
  fi
}

fuzz() {
  local programs_here=("$programs"/fuzz_*) each program name log status units
  each=$((seconds / ${#programs_here[@]}))
  if ((each < 1)); then each=1; fi  # 0 would be for ever
  for program in "${programs_here[@]}"; do
    [[ -x $program && ! -d $program ]] || continue
    name=$(basename "$program")
    log=$scratch/$name.log
    echo "--- $name, $each s"
    mkdir -p "$scratch/$name"
    status=0
    "$program" -max_total_time="$each" -seed="$((seed % 2147483647 + 1))" -max_len=65536 -timeout=60 -rss_limit_mb=1024 \
      -malloc_limit_mb=64 -print_final_stats=1 -verbosity=0 -artifact_prefix="$scratch/$name-" "$scratch/$name" \
      "$scratch/seeds/${name#fuzz_*_}" "tests/fuzz/corpus/${name#fuzz_*_}" >"$log" 2>&1 || status=$?
    units=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    printf '%s: no input crashes, hangs or deceives it\t%s\t%s\n' "$name" "${units:-1}" "$((status != 0))" >>"$table"
    if ((status != 0)); then
      tail -n 30 "$log" >&2
      cp "$log" "$scratch/$name"-* "$found" || true
    fi
  done
}

for way in "${ways[@]}"; do
  if [[ $way == fuzz ]]; then fuzz; else attack "$way"; fi
done

echo
awk -F '\t' '
  BEGIN { printf "%-72s %12s %10s\n", "promise", "trials", "failures" }
  { printf "%-72s %12d %10d\n", $1, $2, $3; failures += $3 }
  END { exit failures > 0 }' "$table" || {
  echo "Repeat with --seed $seed; what broke a promise is in $found"
  exit 1
}
