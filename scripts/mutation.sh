#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Puts one bug at a time into a copy of the headers and looks whether the oracle tests notice.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/mutation.sh [--jobs N] [--only WORD]
  --jobs N      bugs tried at a time (default: one per core)
  --only WORD   only bugs whose name contains WORD
Prints killed/total; exit status 1 if a bug survives. About half a minute of one core for each bug.
TEXT
}

# name | file under include/consistency | text as it stands | text with the bug
bugs() {
  cat <<'TABLE'
grid divides by N, not by N - 1 | schedule/karras.hpp | static_cast<double>(n - 1) / static_cast<double>(points - 1) | static_cast<double>(n - 1) / static_cast<double>(points)
Euler takes the velocity at the smaller time | solver/euler.hpp | * v(x, t) | * v(x, s)
Euler goes the wrong way | solver/euler.hpp | (s - t) | (t - s)
velocity without 1 / t | solver/velocity.hpp | (x - denoised) / t; | 0.0 * t + (x - denoised);
velocity with 1 / t squared | solver/velocity.hpp | (x - denoised) / t; | (x - denoised) / square(t);
Heun's second slope at the old point | solver/heun.hpp | v(X(x + (s - t) * d), s) | v(x, s)
Heun's second slope at the old time | solver/heun.hpp | v(X(x + (s - t) * d), s) | v(X(x + (s - t) * d), t)
Heun without its half | solver/heun.hpp | 0.5 * (s - t) | (s - t)
Heun with its second slope alone | solver/heun.hpp | (d + e) | (e + e)
c_skip without epsilon | parameterization/edm_parameterization.hpp | square(t - epsilon) | square(t)
c_out without epsilon | parameterization/edm_parameterization.hpp | sigma_data * (t - epsilon) | sigma_data * t
target from other noise | training/objective.hpp | solver.step(velocity.given(x0), x_t, t, r) | solver.step(velocity.given(x0), X(x0 - t * z), t, r)
target at the larger time | training/objective.hpp | f(theta_minus, x_r, r, mode) | f(theta_minus, x_r, t, mode)
target from the student's own point | training/objective.hpp | f(theta_minus, x_r, r, mode) | f(theta_minus, x_t, r, mode)
gradient through the target | training/objective.hpp | X const y = f(theta_minus, x_r, r, mode) | auto const y = f(theta, x_r, r, mode)
student at the smaller time | training/objective.hpp | metric(f(theta, x_t, t, mode), y) | metric(f(theta, x_t, r, mode), y)
data without enough noise | training/objective.hpp | noised(x0, z, t) | noised(x0, z, r)
noise that does not grow with time | training/draw.hpp | return x0 + t * z; | return x0 + 0.0 * t + z;
times swapped where they are drawn | training/objective.hpp | std::array{pair.t, pair.r} | std::array{pair.r, pair.t}
continuous time without df/dt | training/continuous_objective.hpp | one{t.shape(), typename X::Scalar(1)} | one{t.shape(), typename X::Scalar(0)}
continuous time with half the slope | training/continuous_objective.hpp | Dual<X>{x_t, v} | Dual<X>{x_t, X(0.5 * v)}
continuous pseudo-objective with the wrong sign | training/continuous_objective.hpp | f(theta, x_t, t, mode) + (0.5 * J - y.primal) | (0.5 * J + y.primal) - f(theta, x_t, t, mode)
continuous loss without its half | training/continuous_objective.hpp | 0.5 * weighting(t) * curvature | weighting(t) * curvature
speed of the grid with the wrong power | schedule/karras.hpp | (1 - 1 / rho) * log(t) | 1 / rho * log(t)
curvature along one direction twice | metric/curvature.hpp | First{a} | First{b}
TABLE
}

jobs=$(nproc)
only=
while (($# > 0)); do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --jobs | --only)
      (($# >= 2)) || { echo "mutation.sh: $1 needs a value" >&2; exit 2; }
      [[ $1 == --jobs ]] && jobs=$2 || only=$2
      shift 2
      ;;
    *) echo "mutation.sh: unexpected argument: $1" >&2; usage >&2; exit 2 ;;
  esac
done
[[ $jobs =~ ^[1-9][0-9]*$ ]] || { echo "mutation.sh: --jobs must be a positive number, found: $jobs" >&2; exit 2; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root"/scripts/install-dependencies.sh
compiler=${CXX:-c++}
flags=(-std=c++20 -O1 -march=native -w
  $(pkg-config --cflags eigen3 | sed 's/-I/-isystem /g'))
tests=(boundary_and_order training_and_distillation continuous_time)
"$compiler" "${flags[@]}" -c "$root"/tests/main.cpp -o "$work"/main.o

# Tries the headers in $1/include: prints the test file that fails, "survives", or "does not compile".
try() {
  local test
  for test in "${tests[@]}"; do
    if ! "$compiler" "${flags[@]}" -I"$1"/include "$root"/tests/oracle/"$test".cpp "$work"/main.o -o "$1"/test \
      >"$1"/log 2>&1; then
      echo "does not compile"
      return
    fi
    if ! timeout 120 "$1"/test >"$1"/log 2>&1; then
      echo "$test"
      return
    fi
  done
  echo "survives"
}

# Bug number $1: name, file, text, bug.
attempt() {
  local dir=$work/$1 name=$2 file=include/consistency/$3 text=$4 bug=$5 content
  mkdir "$dir"
  cp -r "$root"/include "$dir"
  content=$(<"$dir/$file")
  local rest=${content/"$text"/}
  if [[ $content == "$rest" || $rest == *"$text"* ]]; then
    echo "text not found once" >"$dir"/verdict
  else
    printf '%s\n' "${content/"$text"/"$bug"}" >"$dir/$file"
    try "$dir" >"$dir"/verdict
  fi
  printf '%-48s %s\n' "$name" "$(<"$dir"/verdict)"
}

mkdir "$work"/sound
cp -r "$root"/include "$work"/sound
verdict=$(try "$work"/sound)
[[ $verdict == survives ]] || { echo "mutation.sh: without a bug the tests fail: $verdict" >&2; exit 1; }

total=0
while IFS='|' read -r name file text bug; do
  trim() { local s=$1; s=${s#"${s%%[! ]*}"}; printf '%s' "${s%"${s##*[! ]}"}"; }
  name=$(trim "$name")
  [[ $name == *"$only"* ]] || continue
  while (($(jobs -rp | wc -l) >= jobs)); do wait -n; done
  total=$((total + 1))
  attempt "$total" "$name" "$(trim "$file")" "$(trim "$text")" "$(trim "$bug")" &
done < <(bugs)
wait

killed=0
for ((i = 1; i <= total; ++i)); do
  verdict=$(<"$work/$i/verdict")
  if [[ " ${tests[*]} " == *" $verdict "* ]]; then killed=$((killed + 1)); fi
done
echo "killed $killed/$total"
((total > 0 && killed == total))
