#include <doctest/doctest.h>

#include <consistency/tensor/cpu.hpp>
#include <consistency/weighting/inverse_gap_weighting.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE("the uniform weight is 1 for any times") {
  auto const t = tensor<double>({4, 1, 1, 1}, {0.0021, 0.5, 7.0, 80.0});
  auto const r = tensor<double>({4, 1, 1, 1}, {0.002, 0.4, 6.0, 69.0});
  Tensor<double> const w = UniformWeighting{}(t, r);
  CHECK(same_bits(w, Tensor<double>(t.shape(), 1.0)));
}

TEST_CASE("the inverse-gap weight times the gap is 1") {
  auto const t = tensor<double>({4, 1}, {0.0021, 0.5, 7.0, 80.0});
  auto const r = tensor<double>({4, 1}, {0.002, 0.4, 6.0, 69.0});
  Tensor<double> const w = InverseGapWeighting{}(t, r);
  CHECK(w.shape() == t.shape());
  for (Index i = 0; i < 4; ++i) CHECK(w[i] * (t[i] - r[i]) == doctest::Approx(1).epsilon(1e-15));
}

TEST_CASE("weights of float times have the float's precision") {
  auto const t = tensor<float>({1, 1}, {80.0F});
  auto const r = tensor<float>({1, 1}, {69.450946F});
  Tensor<float> const w = InverseGapWeighting{}(t, r);
  CHECK(w[0] == doctest::Approx(1 / (80 - 69.450946)).epsilon(1e-6));
}
