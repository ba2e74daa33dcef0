#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Puts one bug at a time into a copy of the headers and looks whether the tests of its room notice.
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
velocity without 1 / t | process/variance_exploding.hpp | (x - denoised) / t; | 0.0 * t + (x - denoised);
velocity with 1 / t squared | process/variance_exploding.hpp | (x - denoised) / t; | (x - denoised) / square(t);
Heun's second slope at the old point | solver/heun.hpp | v(X(x + (s - t) * d), s) | v(x, s)
Heun's second slope at the old time | solver/heun.hpp | v(X(x + (s - t) * d), s) | v(X(x + (s - t) * d), t)
Heun without its half | solver/heun.hpp | 0.5 * (s - t) | (s - t)
Heun with its second slope alone | solver/heun.hpp | (d + e) | (e + e)
c_skip without epsilon | parameterization/edm_preconditioning.hpp | square(t - s) | square(t)
c_out without epsilon | parameterization/edm_preconditioning.hpp | sigma_data * (t - s) | sigma_data * t
target from other noise | training/objective.hpp | m.velocity.given(process, batch), x_t, t, r) | m.velocity.given(process, batch), X(batch.x0 - t * z), t, r)
target at the larger time | training/objective.hpp | f(theta_minus, x_r, r, mode) | f(theta_minus, x_r, t, mode)
target from the student's own point | training/objective.hpp | target(f, x_r) | target(f, x_t)
gradient through the target | training/objective.hpp | -> X { return f(theta_minus, | { return f(theta,
student at the smaller time | training/objective.hpp | metric(f(theta, x_t, t, mode), y) | metric(f(theta, x_t, r, mode), y)
data without enough noise | training/objective.hpp | process.point(batch.x0, z, t) | process.point(batch.x0, z, r)
noise that does not grow with time | process/variance_exploding.hpp | return x0 + t * z; | return x0 + 0.0 * t + z;
times swapped where they are drawn | training/objective.hpp | std::array{pair.t, pair.r} | std::array{pair.r, pair.t}
continuous time without df/dt | training/continuous_objective.hpp | one{t.shape(), typename X::Scalar(1)} | one{t.shape(), typename X::Scalar(0)}
continuous time with half the slope | training/continuous_objective.hpp | Dual<X>{x_t, v} | Dual<X>{x_t, X(0.5 * v)}
continuous pseudo-objective with the wrong sign | training/continuous_objective.hpp | f(theta, x_t, t, mode) + (0.5 * J - y.primal) | (0.5 * J + y.primal) - f(theta, x_t, t, mode)
continuous loss without its half | training/continuous_objective.hpp | 0.5 * w * curvature | w * curvature
speed of the grid with the wrong power | schedule/karras.hpp | (1 - 1 / rho) * log(t) | 1 / rho * log(t)
curvature along one direction twice | metric/curvature.hpp | First{a} | First{b}
linear path without its share of data | process/linear_path.hpp | (1.0 - t) * x0 + t * z | x0 + t * z
linear velocity to the data | process/linear_path.hpp | return z - x0; | return x0 - z;
linear velocity without 1 / t | process/linear_path.hpp | return (x - denoised) / t; | return (x - denoised) * (0.0 * t + 1.0);
linear score without the share of data | process/linear_path.hpp | (1.0 - t) * denoised - x | denoised - x
linear noise level not over the data's share | process/linear_path.hpp | return t / (1 - t); | return t;
linear noise added whatever was there | process/linear_path.hpp | t * t - kept * kept * s * s | t * t - s * s
trigonometric noise without sigma_data | process/trigonometric.hpp | evaluated(sigma_data * sin(t)) * z; | evaluated(1.0 * sin(t)) * z;
trigonometric velocity without its cosine | process/trigonometric.hpp | (cosine(t) * x - denoised) / sine(t) | (x - denoised) / sine(t)
trigonometric step with the angles exchanged | process/trigonometric.hpp | sin(t - s) / sin(t) | sin(s) / sin(t)
trigonometric data that stay | process/trigonometric.hpp | cosine(t) * x - sine(t) * velocity | x - sine(t) * velocity
trigonometric time of a level without sigma_data | process/trigonometric.hpp | std::atan(sigma / sigma_data) | std::atan(sigma)
conversion that does not scale | process/conversion.hpp | to_process.scale(there) / from.scale(here) | 1.0
conversion by the time itself | process/conversion.hpp | to_process.time(from.sigma(here)) | to_process.time(here)
teacher asked at the student's point | solver/velocity.hpp | evaluated(scale * x) | evaluated(1.0 * x)
velocity preconditioning with the wrong sign | parameterization/velocity_preconditioning.hpp | return s - t; | return t - s;
trigonometric preconditioning with the wrong sign | parameterization/trigonometric_preconditioning.hpp | -sigma_data * sin(t - s) | sigma_data * sin(t - s)
exact step that is none | solver/ddim.hpp | return v.process.step(x, v.denoised(x, t), t, s); | return v.process.step(x, v.denoised(x, t), t, t);
a multistep target that stays at q | training/multistep_consistency_model.hpp | q, drawn.mode), q, r) | q, drawn.mode), q, q)
a multistep target that is the point itself | training/multistep_consistency_model.hpp | (x_r - kept) / share | x_r
truncated target of the student alone | training/truncated_consistency_model.hpp | above + below * | above + 0.0 * below *
truncated boundary of full weight | training/truncated_consistency_model.hpp | weight * d | 1.0 * d
mid-training towards the point before | training/consistency_mid_training.hpp | metric(x, point(0)) | metric(x, point(i - 1))
a stage whose target is the average | training/stage.hpp | state.target = before.theta; | state.target = before.averaged;
a stage that forgets its further averages | training/stage.hpp | arena = before.theta; | arena = before.averaged;
Student's law without its tails | schedule/log_student_distribution.hpp | std::pow(densest / std::cosh(y), freedom) | 1.0
segments that all end at epsilon | schedule/segment_times.hpp | n / each * each + 1 | 1 + 0 * each
samples at the boundary only | schedule/truncated_times.hpp | edge ? boundary : | true ? boundary :
Eulerian tangent without its sweep | identity/eulerian_identity.hpp | at.v - F_minus - rho * (at.t - at.r) * dF | at.v - F_minus
semigroup's second jump from the start | identity/semigroup_identity.hpp | map.output(theta_minus, x_q, at.q, at.r, at.mode) | map.output(theta_minus, at.x, at.q, at.r, at.mode)
Lagrangian velocity at the start | identity/lagrangian_identity.hpp | X(stop_gradient(end)), at.r | at.x, at.r
blend that moves against the velocity | identity/blended_identity.hpp | at.x - d * at.v | at.x + d * at.v
flow matching towards the data | training/flow_matching.hpp | metric(v_theta, v) | metric(D_x, v)
guidance the wrong way | model/guided.hpp | (with - without) | (without - with)
guidance from the condition on | model/guided.hpp | evaluated(without + strength_ | evaluated(with + strength_
conditions dropped that should stay | training/condition_dropout.hpp | u < rate ? S(0) : S(1) | u < rate ? S(1) : S(0)
every sample of a batch drawn alike | training/condition_dropout.hpp | at.sample + static_cast<std::uint32_t>(i) | at.sample
condition of the first samples for all | condition/condition.hpp | begin * width() | 0 * begin
curvature of normalized numbers along one direction | autodiff/rules/normalized.hpp | a4 * mean_nb + b4 * mean_na | a4 * mean_nb
curvature of normalized numbers without their own share | autodiff/rules/normalized.hpp | along(x, V(reshape(u, x.shape())))) - n4 * rest | along(x, V(reshape(u, x.shape())))) - 0.0 * n4 * rest
normalized tangent that skips the normalization | autodiff/rules/normalized.hpp | add_term(y.tangent, along(x.primal, a.tangent)) | add_term(y.tangent, a.tangent)
normalized tangent that knows no second derivative | autodiff/rules/normalized.hpp | if (x.tangent.defined()) | if (false && x.tangent.defined())
Adam's decay coupled to the moments | optimizer/adamw.hpp | learning_rate * schedule.factor(u.k) * decay | decay
momentum that forgets | optimizer/sgd.hpp | momentum * b + u.scale | 0.0 * b + u.scale
cosine that rises | optimizer/rate_schedule.hpp | (1 - std::cos(std::numbers::pi * left)) | (1 + std::cos(std::numbers::pi * left))
average of a power without its 1 | training/average.hpp | exponent(number_) + 1 | exponent(number_)
micro-batches with the noise of the first | training/gradient_step.hpp | part.first + static_cast<std::uint32_t>(begin) | part.first
drift by what is near in its own row alone | population/drift.hpp | sqrt(maximum(rows * columns, 1e-6)) | sqrt(maximum(rows * rows, 1e-6))
drift of a sample from itself | population/drift.hpp | 100.0 * relu( | 0.0 * relu(
drift without its common length | population/drift.hpp | V / sqrt(maximum(mean_square, 1e-8)) | 1.0 * V
drift that is not weighed against the other population | population/drift.hpp | sum_to(away, {g, m, 1}) * mixed( | 1.0 * mixed(
mean discrepancy without one population | population/squared_mmd.hpp | k(x, x) + k(y, y) - 2.0 | k(x, x) - 2.0
mean discrepancy with one cross term | population/squared_mmd.hpp | - 2.0 * k(x, y) | - 1.0 * k(x, y)
gradient of a distance of 0 | population/distances.hpp | sqrt(maximum(squared_distances(a, b), least * least)) | sqrt(squared_distances(a, b))
groups that begin anywhere | population/groups.hpp | first % size != 0 | 0 * first != 0
spans of samples, not of groups | training/flow_map_objective.hpp | sample.sample /= static_cast<std::uint32_t>(method.group) | sample.sample /= 1
nearer group at the time of the other | training/population_objective.hpp | map(theta_minus, x_q, q, r, drawn.mode) | map(theta_minus, x_q, t, r, drawn.mode)
nearer group from the point of the other | training/population_objective.hpp | process.point(batch.x0, drawn.z, q) | process.point(batch.x0, drawn.z, t)
kernel that knows no span | training/population_objective.hpp | abs(evaluated(m.f.parameterization().c_out(t, r))) + diagonal | 0.0 * t + 1.0
moments that stand still | training/averaged_constants.hpp | rate * state.theta[id] + (1 - rate) | 1.0 * state.theta[id] + (0 * rate)
moments in the norm of the gradient | training/averaged_constants.hpp | slot.fill(typename X::Scalar(0)); | slot.fill(slot.count() > 0 ? typename X::Scalar(1) : 0);
slope of the whole batch, not of its share | training/fd_loss.hpp | return (1 - beta_) * sum( | return 1.0 * sum(
slope of another root | population/frechet_slope.hpp | 1 / roots[i] : 0 | 1 / (roots[i] * roots[i]) : 0
noise level that grows | schedule/decrement_times.hpp | process.sigma(t) - step | process.sigma(t) + step
sigmoid of the wrong side | weighting/sigmoid_weighting.hpp | b - 2.0 * log | b + 2.0 * log
learned weight without its counterweight | training/learned_weighting.hpp | * d + u); | * d + 0.0 * u);
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
(cd "$root" && cmake --preset dev >/dev/null)  # writes headers of the tests
compiler=${CXX:-c++}
flags=(-std=c++20 -O1 -march=native -w -I"$root"/build/dev/tests/generated
  $(pkg-config --cflags eigen3 | sed 's/-I/-isystem /g'))
oracles=(oracle/boundary_and_order oracle/training_and_distillation oracle/continuous_time)
"$compiler" "${flags[@]}" -c "$root"/tests/main.cpp -o "$work"/main.o

# The test files that are asked about a bug in header $1.
tests_of() {
  case $1 in
    population/frechet* | training/fd_loss* | training/averaged_c*) echo training/fd_loss ;;
    population/*) echo oracle/populations ;;
    training/population* | training/flow_map*) echo training/populations ;;
    schedule/decrement*) echo schedule/time_span ;;
    training/multistep* | schedule/segment*) echo training/multistep_models ;;
    training/trunc* | training/consistency_mid* | training/stage* | schedule/trunc* | schedule/log_st*)
      echo training/stages ;;
    identity/*) echo oracle/flow_map ;;
    autodiff/*) echo autodiff/network ;;
    weighting/*) echo weighting/weighting ;;
    process/variance* | schedule/*) echo process/process "${oracles[@]}" ;;
    parameterization/[tv]*) echo parameterization/flow ;;
    process/* | solver/ddim* | solver/velocity* | training/flow*) echo process/process oracle/processes ;;
    model/*) echo model/guided ;;
    condition/*) echo condition/condition ;;
    optimizer/*) echo optimizer/models ;;
    training/average*) echo training/averages ;;
    training/condition_dropout*) echo training/conditions ;;
    training/gradient_step*) echo training/micro_batches ;;
    training/learned*) echo training/learned_weighting ;;
    *) echo "${oracles[@]}" ;;
  esac
}

# Tries the headers in $1/include on test files $2 ...: prints the one that fails, "survives", or "does not compile".
try() {
  local test
  for test in "${@:2}"; do
    if ! "$compiler" "${flags[@]}" -I"$1"/include "$root"/tests/"$test".cpp "$work"/main.o -o "$1"/test \
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
    # shellcheck disable=SC2046 # names of files without blanks
    try "$dir" $(tests_of "$3") >"$dir"/verdict
  fi
  printf '%-48s %s\n' "$name" "$(<"$dir"/verdict)"
}

mkdir "$work"/sound
cp -r "$root"/include "$work"/sound
mapfile -t files < <(bugs | cut -d'|' -f2 | tr -d ' ' | sort -u)
mapfile -t all < <(for file in "${files[@]}"; do tests_of "$file"; done | tr ' ' '\n' | sort -u)
verdict=$(try "$work"/sound "${all[@]}")
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
  if [[ " ${all[*]} " == *" $verdict "* ]]; then killed=$((killed + 1)); fi
done
echo "killed $killed/$total"
((total > 0 && killed == total))
