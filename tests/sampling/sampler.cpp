// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/model/consistency_function.hpp>
#include <consistency/network/unet.hpp>
#include <consistency/sampling/multistep.hpp>
#include <consistency/sampling/ode_sampler.hpp>
#include <consistency/sampling/one_step.hpp>
#include <consistency/sampling/sample.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/exact.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

constexpr auto epsilon = 0.002;

struct Moments {
  double mean, variance;
};

Moments moments_of(auto const& x) {
  double total = 0, squares = 0;
  for (auto const v : x.values()) total += static_cast<double>(v);
  auto const mean = total / static_cast<double>(x.count());
  for (auto const v : x.values())
    squares += (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean);
  return {mean, squares / static_cast<double>(x.count() - 1)};
}

/// With f* of Gaussian data every step maps a normal distribution to a normal distribution.
Moments exact_moments(Gaussian const& data, std::vector<double> const& times) {
  auto const contraction = [&](double t) { return std::hypot(data.s, epsilon) / std::hypot(data.s, t); };
  auto distribution = Moments{0, 80.0 * 80.0};
  auto const map = [&](double t) {
    auto const a = contraction(t);
    distribution = {data.m + (distribution.mean - data.m) * a, a * a * distribution.variance};
  };
  map(80);
  for (auto const tau : times) {
    distribution.variance += tau * tau - epsilon * epsilon;
    map(tau);
  }
  return distribution;
}

/// Within five standard errors.
void check_moments(Moments const& found, Moments const& expected, Index count) {
  auto const n = static_cast<double>(count);
  CHECK(std::abs(found.mean - expected.mean) < 5 * std::sqrt(expected.variance / n));
  CHECK(std::abs(found.variance - expected.variance) < 5 * expected.variance * std::sqrt(2 / n));
}

auto exact_function(Gaussian const& data) {
  return [data](auto const& x, auto const& t) {
    return mapped(x, t, [&](double a, double time) { return data.transported(a, time, epsilon); });
  };
}

struct Painter {
  ConsistencyFunction<UNet> f{
      UNet{{.channels = 8, .blocks = 1, .attention = {4}, .groups = 4, .embedding = 16, .image = {8, 8, 1}}}};
  Parameters<Tensor<float>> theta = f.initialize({1});

  template <Sampler S>
  Tensor<float> operator()(S const& sampler, SampleSettings settings) const {
    return sample(f, theta, sampler, settings);
  }
};

Tensor<float> image(Tensor<float> const& all, Index i) { return all.view(64 * i, {1, 8, 8, 1}); }

auto const two_steps = Multistep{.times = {3, 0.8}};

}  // namespace

TEST_CASE("one-step and multistep samples of Gaussian data have the moments of the closed form") {
  auto const data = Gaussian{};
  auto const f = exact_function(data);
  auto const settings = SampleSettings{.seed = 5, .count = 1000, .batch = 300};
  constexpr Index count = 1000 * 1000;
  check_moments(moments_of(sample<Tensor<double>>(f, {1000}, OneStep{}, settings)), exact_moments(data, {}),
                count);
  for (auto const& times : {std::vector{0.821}, {10.0, 0.1}, {40.0, 10.0, 3.0, 0.5, 0.05}})
    check_moments(moments_of(sample<Tensor<float>>(f, {1000}, Multistep{.times = times}, settings)),
                  exact_moments(data, times), count);
}

TEST_CASE("the closed form has the value worked out by hand and the data's distribution as its fixed point") {
  auto const one = exact_moments({.m = 0.3, .s = 0.5}, {});
  CHECK(one.mean == doctest::Approx(0.298125).epsilon(1e-6));
  CHECK(std::sqrt(one.variance) == doctest::Approx(0.499994).epsilon(1e-6));
  auto const many = exact_moments({.m = 0.3, .s = 0.5}, {5, 4, 3, 2, 1});
  CHECK(many.mean == doctest::Approx(0.3).epsilon(1e-6));
  CHECK(many.variance == doctest::Approx(0.25 + epsilon * epsilon).epsilon(1e-6));
}

TEST_CASE("a network that is exact samples as the exact function does") {
  auto const network = GaussianNetwork{.shape = {10}};
  auto const f = ConsistencyFunction{network};
  auto const settings = SampleSettings{.seed = 3, .count = 50, .batch = 8};
  auto const theta = f.initialize<double>({});
  auto const exact = exact_function(network.data);
  CHECK(distance(sample(f, theta, OneStep{}, settings),
                 sample<Tensor<double>>(exact, {10}, OneStep{}, settings)) < 1e-9);
  CHECK(distance(sample(f, theta, two_steps, settings),
                 sample<Tensor<double>>(exact, {10}, two_steps, settings)) < 1e-9);
}

TEST_CASE("one step is f of noise at T") {
  auto const paint = Painter{};
  auto const z = normal<float>({6, 8, 8, 1}, Key{9, stream::sampling});
  Tensor<float> const expected =
      paint.f(paint.theta, evaluated(80.0 * z), Tensor<float>(Shape{6, 1, 1, 1}, 80.0F));
  CHECK(same_bits(paint(OneStep{}, {.seed = 9, .count = 6}), expected));
}

TEST_CASE("a picture of a seed has the same bits in any batch and from any first number") {
  auto const paint = Painter{};
  constexpr Index count = 20;
  auto const check = [&](auto const& sampler) {
    auto const all = paint(sampler, {.seed = 7, .count = count, .batch = 64});
    CHECK(all.shape() == Shape{count, 8, 8, 1});
    CHECK(same_bits(paint(sampler, {.seed = 7, .count = count, .batch = 7}), all));
    CHECK(same_bits(paint(sampler, {.seed = 7, .count = count, .batch = 1}), all));
    for (Index const first : {1, 7, 19}) {
      auto const later = paint(sampler, {.seed = 7, .count = count - first, .first = first, .batch = 4});
      for (Index i = first; i < count; ++i) CHECK(same_bits(image(later, i - first), image(all, i)));
    }
    CHECK_FALSE(same_bits(image(all, 0), image(all, 1)));
    CHECK_FALSE(same_bits(paint(sampler, {.seed = 8, .count = count}), all));
  };
  check(OneStep{});
  check(two_steps);
}

TEST_CASE("several steps begin with one step and add noise of their own") {
  auto const paint = Painter{};
  auto const settings = SampleSettings{.seed = 2, .count = 5};
  auto const one = paint(OneStep{}, settings);
  CHECK(same_bits(paint(Multistep{.times = {}}, settings), one));
  CHECK_FALSE(same_bits(paint(Multistep{.times = {0.8}}, settings), one));
  // The first step's noise does not depend on the steps that follow.
  auto const identity = [](auto const& x, auto const&) { return x; };
  auto const x = sample<Tensor<double>>(identity, {4}, Multistep{.times = {5}}, settings);
  auto const y = sample<Tensor<double>>(identity, {4}, Multistep{.times = {5, 1}}, settings);
  auto const z = normal<double>({5, 4}, Key{2, stream::sampling}, {2, 0});
  CHECK(distance<double>(x + std::sqrt(1 - epsilon * epsilon) * z, y) < 1e-12);
}

TEST_CASE("the noise added at a time brings the smallest noise level up to it") {
  auto const zero = [](auto const& x, auto const& t) {
    return evaluated(t)[0] > 50 ? evaluated(0.0 * x) : evaluated(1.0 * x);
  };
  for (auto const tau : {10.0, 0.5, 0.003}) {
    auto const x = sample<Tensor<double>>(zero, {1000}, Multistep{.times = {tau}}, {.count = 100});
    check_moments(moments_of(x), {0, tau * tau - epsilon * epsilon}, x.count());
  }
}

TEST_CASE("times that do not fall, or lie outside, are rejected with their number") {
  auto const paint = Painter{};
  auto const check = [&](Multistep const& sampler, std::initializer_list<std::string_view> words) {
    check_fails<ErrorCode::config>([&] { sampler.check(VarianceExploding{}); }, words);
    check_fails<ErrorCode::config>([&] { paint(sampler, {}); }, words);
  };
  check({.times = {80}}, {"Multistep", "times[0]", "found 80,"});
  check({.times = {10, 20}}, {"times[1]", "found 20,", " 10.", "decreasing"});
  check({.times = {10, 10}}, {"times[1]", "found 10,"});
  check({.times = {10, 1, 0.002}}, {"times[2]", "0.002"});
  check({.times = {10, -1}}, {"times[1]", "found -1,"});
  check({.times = {std::nan("")}}, {"times[0]", "nan"});
  check_fails<ErrorCode::config>([] { Multistep{.times = {5}}.check(VarianceExploding{.T = 4}); },
                                 {"times[0]", "found 5,", " 4."});
}

TEST_CASE("impossible numbers of samples are rejected with the numbers") {
  auto const paint = Painter{};
  auto const check = [&](SampleSettings const& settings, std::initializer_list<std::string_view> words) {
    check_fails<ErrorCode::config>([&] { paint(OneStep{}, settings); }, words);
  };
  check({.count = 0}, {"sample", "count", "found 0, 64, 0"});
  check({.count = -3}, {"sample", "-3"});
  check({.count = 5, .batch = 0}, {"sample", "5, 0, 0", "batch >= 1"});
  check({.count = 5, .first = -1}, {"sample", "5, 64, -1", "first >= 0"});
  // Samples are counted by 32 bits: one more would be the first again.
  constexpr auto end = Index{1} << 32U;
  check({.count = 2, .first = end - 1}, {"sample", "2 from 4294967295 on", "2^32 - 1"});
  check({.count = 1, .first = std::numeric_limits<Index>::max()}, {"sample", "samples"});
  check({.count = std::numeric_limits<Index>::max()}, {"sample", "samples"});
  CHECK(paint(OneStep{}, {.count = 1, .first = end - 1}).count() == 64);
}

TEST_CASE(
    "a sample that is not finite is rejected with its number and place by every sampler, on both ways") {
  auto const nan = std::numeric_limits<float>::quiet_NaN();
  auto const infinity = std::numeric_limits<float>::infinity();
  auto const check = [](auto const& f, auto const& sampler, std::initializer_list<std::string_view> words) {
    check_fails<ErrorCode::numeric>(
        [&] { sample(f, {3}, sampler, {.seed = 1, .count = 9, .first = 100, .batch = 4}); }, words);
  };
  // Number 2 of each batch's last sample: the first batch is samples 100 to 103.
  for (auto const& [bad, text] :
       {std::pair{nan, "found nan"}, {infinity, "found inf"}, {-infinity, "found -inf"}}) {
    auto const spoilt = [&](Tensor<float> const& x, Tensor<float> const&) {
      auto y = x.clone();
      y.mutable_data()[y.count() - 1] = bad;
      return y;
    };
    check(spoilt, OneStep{}, {"sample 103, number 2 of 3", text, "weights"});
  }
  auto const spoilt = [&](Tensor<float> const& x, Tensor<float> const&) {
    auto y = x.clone();
    y.mutable_data()[1] = nan;
    return y;
  };
  check(spoilt, two_steps, {"sample 100, number 1 of 3"});
  check(spoilt, OdeSampler<Euler>{.steps = 3}, {"sample 100, number 1 of 3"});
  check(spoilt, OdeSampler<Heun>{.steps = 3, .churn = 1}, {"sample 100, number 1 of 3"});
  // As large as numbers can be is finite, though sums of them are not.
  auto const huge = [](Tensor<float> const& x, Tensor<float> const&) {
    return Tensor<float>{x.shape(), std::numeric_limits<float>::max()};
  };
  CHECK(sample(huge, {3}, OneStep{}, {.count = 9})[26] == std::numeric_limits<float>::max());

  auto paint = Painter{};
  paint.theta.flat().mutable_data()[0] = nan;
  for (auto const batch : {1, 64})
    check_fails<ErrorCode::numeric>([&] { paint(two_steps, {.count = 3, .batch = batch}); },
                                    {"sample 0, number 0 of 64", "nan"});
}

TEST_CASE("noise levels and noise that are not finite are rejected before anything is drawn") {
  auto const nan = std::nan("");
  auto const identity = [](auto const& x, auto const&) { return x; };
  auto const check = [&](auto const& sampler, std::initializer_list<std::string_view> words) {
    check_fails<ErrorCode::config>([&] { sample(identity, {3}, sampler); }, words);
  };
  for (auto const T : {nan, std::numeric_limits<double>::infinity(), 0.0, -1.0})
    check_fails<ErrorCode::config>([&] { sample(identity, VarianceExploding{.T = T}, {3}); },
                                   {"VarianceExploding", "T", number_text(T)});
  check_fails<ErrorCode::config>([&] { sample(identity, VarianceExploding{.epsilon = nan}, {3}); },
                                 {"VarianceExploding", "epsilon", "nan"});
  check(OdeSampler<Euler>{.churn = 1, .churn_noise = nan}, {"OdeSampler", "churn_noise", "nan"});
  check(OdeSampler<Euler>{.steps = Index{1} << 40U}, {"OdeSampler", "steps"});
}

TEST_CASE("samples are of the weights as they are, however these were written since the last") {
  ConsistencyFunction const f{UNet{{.channels = 16, .multipliers = {1, 2}, .blocks = 1, .image = {8, 8, 1}}}};
  auto theta = f.initialize(Key{1});
  auto const drawn = [&](auto const& of) { return sample(f, of, OneStep{}, {.count = 2}); };
  auto const negate = [&](float* numbers) {
    for (auto const& entry : theta.table().entries())
      if (entry.shape.rank() == 4)
        for (Index i = 0; i < entry.shape.count(); ++i) numbers[entry.offset + i] *= -1;
  };
  auto const first = drawn(theta);
  auto* const weights = theta.flat().mutable_data();
  CHECK(same_bits(drawn(theta), first));
  negate(weights);
  auto copy = theta;
  CHECK(same_bits(drawn(theta), drawn(copy)));
  CHECK(distance(drawn(theta), first) > 1e-3);
  auto shared = copy.flat();  // another name of the same numbers
  auto* const same_weights = shared.mutable_data();
  drawn(copy);
  negate(same_weights);
  CHECK(same_bits(drawn(copy), first));
  auto named = copy;
  drawn(named);
  for (auto const& entry : theta.table().entries()) named.assign(entry.name, theta.at(entry.name));
  CHECK(same_bits(drawn(named), drawn(theta)));
}
