#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include <consistency/sampling/one_step.hpp>

namespace consistency {

/// A sampler turns noise into samples of a shape with a consistency function f(x, t); sample i of the batch
/// takes the draws of counter sample first + i. Models: OneStep, Multistep. docs/concepts/sampler.md
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
                        .found = number_text(settings.count) + ", " + number_text(settings.batch) + ", " +
                                 number_text(settings.first),
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
  auto const forms = theta.forms_scope();
  auto const with_theta = [&](auto const& x, auto const& t) { return f(theta, x, t); };
  return sample<X>(with_theta, f.network().data_shape(), sampler, settings);
}

}  // namespace consistency
