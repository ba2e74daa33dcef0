#!/usr/bin/env bash
# Measures the compile time of the headers: the median of five compilations of each program.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: bench/headers.sh [--json FILE]
  --json FILE   also writes the times in Google Benchmark's format
The compiler is $CXX (default g++), called as: -std=c++20 -O2 -c
TEXT
}

refuse() {
  echo "headers.sh: $1" >&2
  usage >&2
  exit 2
}

json=
while (($# > 0)); do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --json=*) set -- --json "${1#*=}" "${@:2}"; continue ;;
    --json)
      if (($# < 2)) || [[ -z $2 || $2 == --* ]]; then refuse "--json needs a file"; fi
      json=$2
      shift 2
      ;;
    *) refuse "unexpected argument: $1" ;;
  esac
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CCACHE_DISABLE=1
read -ra eigen < <(pkg-config --cflags eigen3)
compile=("${CXX:-g++}" -std=c++20 -O2 -DEIGEN_DONT_PARALLELIZE "-I$root/include" "${eigen[@]}" -c -o "$work/out.o")

programs=(empty eigen_core umbrella readme readme_compiled)  # the last one against consistency::compiled
echo 'int main() {}' >"$work/empty.cpp"
printf '%s\n' '#include <Eigen/Core>' 'int main() {}' >"$work/eigen_core.cpp"
printf '%s\n' '#include <consistency/consistency.hpp>' 'int main() {}' >"$work/umbrella.cpp"
awk '/^```cpp$/ { inside = 1; text = ""; next }
     /^```$/ && inside { if (text ~ /int main/) { printf "%s", text; exit } inside = 0 }
     inside { text = text $0 "\n" }' "$root/README.md" >"$work/readme.cpp"
{ echo '#define CONSISTENCY_COMPILED'; cat "$work/readme.cpp"; } >"$work/readme_compiled.cpp"
[[ -s $work/readme.cpp ]] || { echo "headers.sh: README.md has no cpp block with int main" >&2; exit 1; }

rounds=5
TIMEFORMAT=%R
for ((round = 0; round < rounds; ++round)); do  # in turn, so that a busy moment touches all alike
  for program in "${programs[@]}"; do
    { time "${compile[@]}" "$work/$program.cpp" 2>&3; } 3>&2 2>>"$work/$program.times"
  done
done

declare -A median
for program in "${programs[@]}"; do
  median[$program]=$(sort -n "$work/$program.times" | sed -n "$((rounds / 2 + 1))p")
  printf '%-24s %6.2f s\n' "$program" "${median[$program]}"
done
quotient() { awk -v a="${median[$1]}" -v b="${median[$2]}" 'BEGIN { printf "%.2f", a / b }'; }
ratio=$(quotient umbrella eigen_core)
printf '%-24s %6s\n' "umbrella / eigen_core" "$ratio"
printf '%-24s %6s\n' "readme_compiled / readme" "$(quotient readme_compiled readme)"

if [[ -n $json ]]; then
  {
    printf '{\n  "context": {"compiler": "%s", "umbrella / eigen_core": %s},\n  "benchmarks": [' \
      "$("${compile[0]}" --version | head -n 1)" "$ratio"
    separator=
    for program in "${programs[@]}"; do
      printf '%s\n    {"name": "headers/%s", "run_type": "iteration", "iterations": %d, "real_time": %s, "time_unit": "s"}' \
        "$separator" "$program" "$rounds" "${median[$program]}"
      separator=,
    done
    printf '\n  ]\n}\n'
  } >"$json"
fi
