// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>

#include <consistency/cuda.hpp>

#include "../support/rounding.hpp"
#include "../tensor/support.hpp"
#include "device.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float, Cuda>;
using Exact = Tensor<double>;

/// x with 8 significant bits, nearest.
Exact rounded(Exact const& x) {
  Exact y{x.shape()};
  for (Index i = 0; i < x.count(); ++i) {
    auto const unit = std::ldexp(1.0, std::ilogb(x[i]) - 7);
    y.mutable_data()[i] = std::nearbyint(x[i] / unit) * unit;
  }
  return y;
}

template <class Op>
void factors_are_rounded(Op const& op, Shape const& left, Shape const& right) {
  auto const a = random<float>(left, 1), b = random<float>(right, 2);
  auto const [exact_a, exact_b] = std::pair{convert<double, Cpu>(a), convert<double, Cpu>(b)};
  PrecisionScope const scope{cuda::Precision::bfloat16};
  X const found = apply(op, to<Cuda>(a), to<Cuda>(b));
  CHECK(relative_error(found, apply(op, rounded(exact_a), rounded(exact_b))) <=
        rounding_error<float>(op, std::array{left, right}));
  auto const error = relative_error(found, apply(op, exact_a, exact_b));
  CHECK(error > 1e-4);
  CHECK(error < 4e-3);  // 2^-8
}

}  // namespace

TEST_CASE("in bfloat16 products are those of rounded factors, added up in float32") {
  NEEDS_DEVICE();
  factors_are_rounded(op::Linear{}, {33, 70}, {70, 19});
  factors_are_rounded(op::Conv2d{}, {2, 9, 7, 16}, {3, 3, 16, 24});
  factors_are_rounded(op::AttentionScores{.heads = 2, .scale = 0.3}, {3, 9, 14}, {3, 17, 14});
  factors_are_rounded(op::AttentionMix{.scale = 0.3, .transposed = true}, {3, 2, 9, 17}, {3, 9, 14});
}

TEST_CASE("training in bfloat16 follows training in float32") {
  NEEDS_DEVICE();
  ConsistencyFunction const f{
      UNet{{.channels = 16, .multipliers = {1, 2}, .attention = {4}, .image = {8, 8, 1}}}};
  auto const losses = [&] {
    Trainer trainer{ConsistencyTraining{.f = f}, RAdam{.learning_rate = 1e-3}, f.initialize<X>(Key{1})};
    auto total = 0.0;
    for (std::uint32_t k = 0; k < 10; ++k)
      total += trainer.step(0.5 * normal<X>({4, 8, 8, 1}, Key{2}, {k})).loss;
    return total;
  };
  auto const expected = losses();
  PrecisionScope const scope{cuda::Precision::bfloat16};
  auto const found = losses();
  CHECK(found != expected);
  CHECK(found == doctest::Approx(expected).epsilon(0.02));
}
