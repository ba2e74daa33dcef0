#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Writes a new operation into the seventeen files that one touches: y = x · x, element by element, with kernels for every
# backend, a rule, and tests that hold. docs/extend.md says how to make it yours.
# usage: scripts/new_operation.sh NAME     (as in lower_case)
set -euo pipefail

name=${1:-}
[[ $name =~ ^[a-z][a-z0-9]*(_[a-z0-9]+)*$ ]] || { echo "usage: scripts/new_operation.sh NAME, in lower_case" >&2; exit 2; }
Name=$(sed -E 's/(^|_)([a-z0-9])/\u\2/g' <<<"$name")

cd "$(dirname "${BASH_SOURCE[0]}")/.."
files=()
tensor=include/consistency/tensor
taken() { echo "new_operation.sh: there is $1 already; choose another name" >&2; exit 1; }
if grep -qE "^struct $Name\b" $tensor/ops.hpp $tensor/elementwise.hpp; then taken "a struct $Name"; fi
if grep -qE "\b$name\(" $tensor/functions.hpp $tensor/elementwise.hpp; then taken "a function $name"; fi
for file in $tensor/{reference,cpu,cuda}/"$name".hpp $tensor/cuda/"$name".cuh include/consistency/autodiff/rules/"$name".hpp; do
  if [[ -e $file ]]; then taken "$file"; fi
  files+=("$file")
done

# Inserts standard input into file $1 after (or with $3 = before: in front of) the last line that matches $2.
insert() {
  local text line
  text=$(cat)
  line=$(grep -nE "$2" "$1" | tail -n 1 | cut -d: -f1) || { echo "new_operation.sh: $1 has no line like $2" >&2; exit 1; }
  if [[ ${3:-after} == before ]]; then text+=$'\n' line=$((line - 1)); fi
  { head -n "$line" "$1"; printf '%s\n' "$text"; tail -n "+$((line + 1))" "$1"; } >"$1.new"
  mv "$1.new" "$1"
  files+=("$1")
}
include() { insert "$1" '^#include <consistency/' <<<"#include <consistency/$2>"; }

# What it is: settings and the rule of shapes; the function that programs call.
insert $tensor/ops.hpp '^}  // namespace consistency::op$' before <<TEXT
/// What it computes, of which shapes, by which source.
struct $Name {
  Shape result(Shape const& x) const { return x; }
};

TEXT
insert $tensor/functions.hpp '^}  // namespace consistency$' before <<TEXT
auto $name(Operand auto const& x) { return apply(op::$Name{}, evaluated(x)); }

TEXT

# How each backend computes it.
kernel() { # backend, includes, body
  local kernel="Kernel<op::$Name, $1>"
  if [[ $1 == Cpu ]]; then kernel="cpu::Kernel<op::$Name>"; fi
  cat <<TEXT
// SPDX-License-Identifier: MIT
#pragma once

$2

namespace consistency {

template <>
struct $kernel {
  template <class S>
  static Tensor<S, $1> value(op::$Name const& op, Tensor<S, $1> const& x) {
    auto y = Tensor<S, $1>{op.result(x.shape())};
$3
    return y;
  }
};

}  // namespace consistency
TEXT
}
kernel Reference "#include <consistency/tensor/ops.hpp>" \
  "    for (Index i = 0; i < y.count(); ++i) y.mutable_data()[i] = x[i] * x[i];" >$tensor/reference/"$name".hpp
kernel Cpu "#include <consistency/tensor/cpu/layout.hpp>" "    auto* const to = y.mutable_data();
    auto const columns = x.shape().back();
    cpu::for_lines(x.shape().rows(), columns, [&](Index row) {
      cpu::for_packs<S>(columns, [&](auto lanes, Index column) {
        auto const at = row * columns + column;
        auto const a = lanes.load(x.data() + at);
        lanes.store(a * a, to + at);
      });
    });" >$tensor/cpu/"$name".hpp
kernel Cuda "#include <consistency/tensor/cuda/memory.hpp>
#include <consistency/tensor/ops.hpp>" "    cuda::$name(x.data(), x.count(), y.mutable_data());" >$tensor/cuda/"$name".hpp
insert $tensor/cuda/"$name".hpp '^namespace consistency {$' <<TEXT

namespace cuda {

template <CompiledScalar S>
void $name(S const* x, Index count, S* y);

}  // namespace cuda
TEXT
cat >$tensor/cuda/"$name".cuh <<TEXT
// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/cuda/device.cuh>
#include <consistency/tensor/cuda/$name.hpp>

namespace consistency::cuda {

/// Number i of y.
template <class S>
struct ${Name}Number {
  S const* x;
  S* y;
  CONSISTENCY_HD void operator()(Extent i) const { y[i] = x[i] * x[i]; }
};

template <CompiledScalar S>
void $name(S const* x, Index count, S* y) {
  for_each(count, ${Name}Number<S>{x, y});
}

}  // namespace consistency::cuda
TEXT
insert $tensor/cuda/library.cu '^  template void fill' <<<"  template void $name(S const*, Index, S*); \\"
include $tensor/cpu/kernels.hpp "tensor/cpu/$name.hpp"
insert $tensor/cpu/compiled/calls.hpp '^    Call<Value, T\(op::AttentionScores' <<<"    Call<Value, T(op::$Name const&, X)>,"
include $tensor/reference.hpp "tensor/reference/$name.hpp"
include $tensor/cuda.hpp "tensor/cuda/$name.hpp"
include $tensor/cuda/library.cuh "tensor/cuda/$name.cuh"

# Its derivatives.
cat >include/consistency/autodiff/rules/"$name".hpp <<TEXT
// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <consistency/autodiff/rule.hpp>

namespace consistency {

template <>
struct Rule<op::$Name> {
  static constexpr std::size_t keeps_inputs = 1;
  static constexpr bool keeps_output = false;

  template <class T>
  static std::array<T, 1> vjp(op::$Name const&, std::array<bool, 1> const&, T const&, T const& g,
                              std::array<T, 1> const& x) {
    return {T(2.0 * x[0] * g)};
  }

  template <class Y>
  static Y jvp(op::$Name const&, Y const&, auto const& x, auto const& dx) {
    return 2.0 * x * dx;
  }
};

}  // namespace consistency
TEXT
include include/consistency/autodiff/autodiff.hpp "autodiff/rules/$name.hpp"

# Its tests: kernels against plain loops, shapes that it rejects, derivatives against the complex step.
insert tests/tensor/cases.hpp '^struct Cases;$' <<TEXT

template <>
struct Cases<op::$Name> {
  static void each(auto const& check) {
    for (auto const& x : {Shape{}, Shape{1}, Shape{7}, Shape{3, 1}, Shape{2, 3, 5, 7}, Shape{5, 33}, Shape{0, 3}})
      check(make_case(op::$Name{}, x));
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::$Name{}, Shape{n, 11, 37}); });
  }
};
TEXT
insert tests/tensor/shape_mismatches.cpp '^struct ShapeMismatches;$' <<TEXT

template <>
struct ShapeMismatches<op::$Name> {
  static void each(auto const&) {}
};
TEXT
insert tests/autodiff/op_table.hpp '^struct Row;$' <<TEXT

template <>
struct Row<op::$Name> {
  static constexpr auto group = Group::layout;
  static constexpr auto name = "$name";
  static void each(auto const& check) {
    for (auto const& x : {Shape{1}, Shape{3, 4}, Shape{2, 17}}) check(make_case(op::$Name{}, x));
  }
};
TEXT

mapfile -t files < <(printf '%s\n' "${files[@]}" | sort -u)
if command -v clang-format-16 >/dev/null; then
  clang-format-16 -i "${files[@]}"
else
  echo "There is no clang-format-16: run scripts/format.sh where there is." >&2
fi
printf '%s\n' "${files[@]}"
echo "Next: docs/extend.md, \"An operation\""
