// SPDX-License-Identifier: MIT
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/process/linear_path.hpp>
#include <consistency/sampling/flow_map_sampler.hpp>
#include <consistency/sampling/multistep.hpp>
#include <consistency/sampling/sample.hpp>

#include "../support/compare.hpp"
#include "../support/exact.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

/// The exact flow map of Gaussian data on a process.
template <class Process>
struct ExactMap {
  static constexpr Kind kind = Kind::flow_map;
  Process own;
  Gaussian data{.m = 0.3, .s = 0.5};

  Process process() const { return own; }
  T operator()(T const& x, T const& t, T const& r) const {
    T y{x.shape()};
    for (Index i = 0; i < x.count(); ++i) {
      auto const deviation = [&](double time) {  // of x at a time
        return own.scale(time) == 0 ? 1 : own.scale(time) * std::hypot(data.s, own.sigma(time));
      };
      y.mutable_data()[i] =
          own.scale(r[i]) * data.m + (x[i] - own.scale(t[i]) * data.m) * deviation(r[i]) / deviation(t[i]);
    }
    return y;
  }
  T operator()(T const& x, T const& t) const { return (*this)(x, t, T(t.shape(), own.range().smallest)); }
};

}  // namespace

TEST_CASE_TEMPLATE("the exact flow map gives the same samples in any number of steps", Process, LinearPath,
                   VarianceExploding) {
  ExactMap<Process> const X{Process{}};
  auto const drawn = [&](auto const& sampler) {
    return sample<T>(X, Shape{1}, sampler, {.seed = 1, .count = 20});
  };
  auto const one = drawn(OneStep{});
  for (Index const steps : {1, 2, 3, 16}) CHECK(distance(drawn(FlowMapSampler{.steps = steps}), one) < 1e-13);
}

TEST_CASE("with gamma 1 a flow map is sampled as its consistency function by Multistep") {
  ExactMap<VarianceExploding> const X{};
  auto const grid = grid_of(VarianceExploding{});
  auto const settings = SampleSettings{.seed = 1, .count = 20};
  CHECK(same_bits(sample<T>(X, Shape{1}, FlowMapSampler{.steps = 3, .gamma = 1}, settings),
                  sample<T>(X, Shape{1}, Multistep{{grid(3, 4), grid(2, 4)}}, settings)));
}

TEST_CASE_TEMPLATE("noise that is added on the way keeps the distribution", Process, LinearPath,
                   VarianceExploding) {
  ExactMap<Process> const X{Process{}};
  auto const samples =
      sample<T>(X, Shape{1}, FlowMapSampler{.steps = 4, .gamma = 0.6}, {.count = 4000, .batch = 4000});
  double mean = 0, square = 0;
  for (Index i = 0; i < samples.count(); ++i)
    mean += samples[i] / 4000, square += samples[i] * samples[i] / 4000;
  CHECK(std::abs(mean - 0.3) < 4 * 0.5 / std::sqrt(4000.0));
  CHECK(std::abs(square - mean * mean - 0.25) < 4 * 0.25 * std::sqrt(2 / 4000.0));
}

TEST_CASE("a flow map's sampler without a step, or with a gamma outside 0 to 1, is rejected") {
  ExactMap<LinearPath> const X{};
  check_fails<ErrorCode::config>([&] { sample<T>(X, Shape{1}, FlowMapSampler{.steps = 0}); },
                                 {"FlowMapSampler", "steps"});
  check_fails<ErrorCode::config>([&] { sample<T>(X, Shape{1}, FlowMapSampler{.gamma = 1.5}); },
                                 {"FlowMapSampler", "gamma", "1.5"});
}
