#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What headers cost a program that includes them: preprocessed bytes, instantiations of templates, seconds.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: bench/headers.sh [--counts] [--write FILE | --check FILE]
  --counts       no seconds, which take five compilations of each program
  --write FILE   also writes the table there: bench/baseline/compile.json is one
  --check FILE   fails where a count is more than 10 % over that file's, and implies --counts
Bytes are what g++ ($CXX) reads after preprocessing; classes and functions instantiated are counted by Clang 19's
-ftime-trace; seconds are g++'s for -std=c++20 -O2 -c, the median of five, in units of those for <Eigen/Core>.
Counts depend on the versions of compilers, C++ library and Eigen, which stand in the file; where they differ from
the file's, --check says so and compares nothing.
TEXT
}

fail() {
  echo "headers.sh: $1" >&2
  exit "${2:-1}"
}

counts=false write='' check=''
while (($# > 0)); do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --counts) counts=true; shift ;;
    --write | --check)
      (($# > 1)) || fail "$1 needs a file" 2
      declare "${1#--}=$2"
      shift 2
      ;;
    *) usage >&2; fail "unexpected argument: $1" 2 ;;
  esac
done
[[ -z $check ]] || counts=true
[[ -z $check || -f $check ]] || fail "--check: $check is not there" 2
clang=$(command -v clang++-19) || fail "needs clang++-19 (apt-get install clang-19)"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CCACHE_DISABLE=1 TIMEFORMAT=%R
read -ra eigen < <(pkg-config --cflags eigen3)
flags=(-std=c++20 -O2 "-I$root/include" "${eigen[@]}")
gcc=${CXX:-g++}

includes() { printf '#include <%s>\n' "$@"; echo 'int main() {}'; }
includes >"$work/empty.cpp"
includes Eigen/Core >"$work/eigen_core.cpp"
includes consistency/consistency.hpp >"$work/umbrella.cpp"
includes consistency/cuda.hpp >"$work/cuda.cpp"
includes consistency/checkpoint/checkpoint.hpp >"$work/checkpoint.cpp"
awk '/^```cpp$/ { inside = 1; text = ""; next }
     /^```$/ && inside { if (text ~ /int main/) { printf "%s", text; exit } inside = 0 }
     inside { text = text $0 "\n" }' "$root/README.md" >"$work/readme.cpp"
[[ -s $work/readme.cpp ]] || fail "README.md has no cpp block with int main"
{ echo '#define CONSISTENCY_COMPILED'; cat "$work/readme.cpp"; } >"$work/readme_compiled.cpp"
programs=(eigen_core umbrella cuda checkpoint readme readme_compiled)

versions="$("$gcc" -dumpfullversion), clang $("$clang" -dumpversion), Eigen $(pkg-config --modversion eigen3)"
declare -A bytes instantiations seconds
for program in "${programs[@]}"; do
  bytes[$program]=$("$gcc" "${flags[@]}" -E -P "$work/$program.cpp" | wc -c)
  "$clang" "${flags[@]}" -O0 -c -o "$work/out.o" -ftime-trace="$work/$program.json" -ftime-trace-granularity=0 "$work/$program.cpp"
  instantiations[$program]=$(grep -oE '"name":"Instantiate(Class|Function)"' "$work/$program.json" | wc -l)
  seconds[$program]=0
done

if ! $counts; then
  for ((round = 0; round < 5; ++round)); do  # in turn, so that a busy moment touches all alike
    for program in "${programs[@]}"; do
      { time "$gcc" "${flags[@]}" -c -o "$work/out.o" "$work/$program.cpp" 2>&3; } 3>&2 2>>"$work/$program.times"
    done
  done
  unit=$(sort -n "$work/eigen_core.times" | sed -n 3p)
  echo "Eigen/Core takes $unit s"
  for program in "${programs[@]}"; do
    seconds[$program]=$(awk -v a="$(sort -n "$work/$program.times" | sed -n 3p)" -v b="$unit" 'BEGIN { printf "%.2f", a / b }')
  done
fi

table() {
  printf '{\n  "versions": "%s",\n  "programs": [' "$versions"
  local separator='' program
  for program in "${programs[@]}"; do
    printf '%s\n    {"name": "%s", "bytes": %d, "instantiations": %d, "seconds_to_eigen_core": %s}' \
      "$separator" "$program" "${bytes[$program]}" "${instantiations[$program]}" "${seconds[$program]}"
    separator=,
  done
  printf '\n  ]\n}\n'
}
printf '%-16s %10s %15s %22s\n' program bytes instantiations 'seconds / Eigen/Core'
for program in "${programs[@]}"; do
  printf '%-16s %10d %15d %22s\n' "$program" "${bytes[$program]}" "${instantiations[$program]}" "${seconds[$program]}"
done
if [[ -n $write ]]; then table >"$write"; fi

if [[ -n $check ]]; then
  before=$(sed -n 's/.*"versions": "\(.*\)",/\1/p' "$check")
  if [[ $before != "$versions" ]]; then
    echo "nothing is compared: $check is of $before, this is $versions"
    exit 0
  fi
  grown=0
  for program in "${programs[@]}"; do
    for count in bytes instantiations; do
      old=$(sed -n "s/.*\"name\": \"$program\".*\"$count\": \([0-9]*\).*/\1/p" "$check")
      [[ -n $old ]] || fail "$check has no $count of $program: write it anew (--write)"
      declare -n now=$count
      if ((10 * now[$program] > 11 * old)); then
        echo "$program: ${now[$program]} $count, more than 10 % over the $old of $check"
        grown=1
      fi
    done
  done
  ((grown == 0)) || fail "if that is worth it, say why in the commit, with: bench/headers.sh --write $check"
fi
