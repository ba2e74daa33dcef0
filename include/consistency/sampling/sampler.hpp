#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <consistency/model/consistency_function.hpp>

namespace consistency {

/// A sampler turns noise into samples of `shape` with a consistency function f(x, t); sample i of the batch
/// takes the draws of counter sample first + i. Models: OneStep, Multistep. docs/concepts/sampler.md

/// One evaluation: f(x_T, T), x_T = T z (Song et al. 2023, Section 3).
struct OneStep {
  double sigma_max = 80;  ///< T

  template <class X>
  X operator()(auto const& f, Shape const& shape, Key key, std::uint32_t first) const {
    using S = typename X::Scalar;
    X const x = sigma_max * normal<S>(shape, key, {0, first});
    return f(x, X(shape.per_sample(), static_cast<S>(sigma_max)));
  }
};

/// Alternates denoising and adding noise at decreasing times τ (Song et al. 2023, Algorithm 1); with no times
/// it is OneStep.
struct Multistep {
  std::vector<double> times = {0.821};  ///< τ₁ > τ₂ > …, inside (ε, T)
  double sigma_max = 80;
  double epsilon = 0.002;

  /// Throws config_error, naming the index, unless the times decrease strictly inside (ε, T).
  void check() const {
    for (std::size_t i = 0; i < times.size(); ++i) {
      auto const above = i == 0 ? sigma_max : times[i - 1];
      if (!(times[i] < above && times[i] > epsilon))
        throw config_error{
            {.where = "Multistep",
             .what = "times[" + std::to_string(i) + "]",
             .found = std::to_string(times[i]),
             .expected = "strictly between " + std::to_string(epsilon) + " and " + std::to_string(above),
             .advice = "Give the times in decreasing order."}};
    }
  }

  template <class X>
  X operator()(auto const& f, Shape const& shape, Key key, std::uint32_t first) const {
    using S = typename X::Scalar;
    check();
    X x = OneStep{sigma_max}.template operator()<X>(f, shape, key, first);
    std::uint32_t draw = 0;
    for (auto const tau : times) {
      auto const z = normal<S>(shape, key, {++draw, first});
      x = f(X(x + std::sqrt(tau * tau - epsilon * epsilon) * z), X(shape.per_sample(), static_cast<S>(tau)));
    }
    return x;
  }
};

struct SampleSettings {
  std::uint64_t seed = 0;
  Index count = 1;
  Index first = 0;   ///< index of the first sample: sample i of a seed is the same picture in any batch
  Index batch = 64;  ///< evaluated at a time
};

/// `count` samples (count, …) of any consistency function f(x, t) on data of shape `one`. Throws config_error
/// for a count or batch below 1.
template <class X = Tensor<float>, class F, class Sampler = OneStep>
X sample(F const& f, Shape const& one, Sampler const& sampler = {}, SampleSettings settings = {}) {
  if (settings.count < 1 || settings.batch < 1 || settings.first < 0)
    throw config_error{{.where = "sample",
                        .what = "count, batch, first",
                        .found = std::to_string(settings.count) + ", " + std::to_string(settings.batch) +
                                 ", " + std::to_string(settings.first),
                        .expected = "count >= 1, batch >= 1, first >= 0",
                        .advice = ""}};
  auto const shape = [&](Index n) {
    Shape s{n};
    for (auto const extent : one) s.push_back(extent);
    return s;
  };
  auto const key = Key{settings.seed, stream::sampling};
  auto all = X{shape(settings.count)};
  for (Index i = 0; i < settings.count; i += settings.batch) {
    auto const n = std::min(settings.batch, settings.count - i);
    auto const part =
        sampler.template operator()<X>(f, shape(n), key, static_cast<std::uint32_t>(settings.first + i));
    all.view(i * one.count(), shape(n)).assign(part);
  }
  return all;
}

/// Samples of f_θ, of the shape of its network's data.
template <class F, class X, class Sampler = OneStep>
X sample(F const& f, Parameters<X> const& theta, Sampler const& sampler = {}, SampleSettings settings = {}) {
  auto const with_theta = [&](auto const& x, auto const& t) { return f(theta, x, t); };
  return sample<X>(with_theta, f.network().data_shape(), sampler, settings);
}

}  // namespace consistency
