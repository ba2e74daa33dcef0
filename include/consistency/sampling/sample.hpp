// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>

#include <consistency/core/check.hpp>
#include <consistency/network/prepared_parameters.hpp>
#include <consistency/sampling/one_step.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/recorder.hpp>

namespace consistency {

struct SampleSettings {
  std::uint64_t seed = 0;
  Index count = 1;
  Index first = 0;   ///< index of the first sample: sample i of a seed is the same picture in any batch
  Index batch = 64;  ///< evaluated at a time
};

/// Throws numeric_error, naming the sample and the number in it, unless all numbers of `samples` are finite;
/// `first` is the index of the first one.
template <class S>
void require_finite_samples(Tensor<S, Cpu> const& samples, Index first) {
  if (std::isfinite(largest<pointwise::Abs>(samples))) return;
  Index i = 0;
  while (std::isfinite(samples[i])) ++i;
  auto const size = samples.count() / samples.shape()[0];
  fail<numeric_error>("sample",
                      "sample " + number_text(first + i / size) + ", number " + number_text(i % size) +
                          " of " + number_text(size),
                      number_text(samples[i]), "a finite number",
                      "Check that the weights are finite and belong to this network, and that the "
                      "sampler's times are those that it was trained for. A TraceScope with "
                      "StopAtNonFinite finds the operation.");
}

/// `count` samples (count, …) of any consistency function f(x, t) on data of shape `one`. The sampler's call
/// operator turns noise into a batch of samples; sample i of it takes the draws of counter sample first + i
/// (OneStep, Multistep, OdeSampler; docs/concepts/sampler.md). Throws config_error for a count or batch below
/// 1 or more samples than 2^32, and numeric_error for a sample that is not finite; recorded work leaves that
/// test to its caller.
template <class X = Tensor<float>, class F, class Sampler = OneStep>
X sample(F const& f, Shape const& one, Sampler const& sampler = {}, SampleSettings settings = {}) {
  if (settings.count < 1 || settings.batch < 1 || settings.first < 0)
    fail<config_error>(
        "sample", "count, batch, first",
        number_text(settings.count) + ", " + number_text(settings.batch) + ", " + number_text(settings.first),
        "count >= 1, batch >= 1, first >= 0");
  auto const first = counted("sample", "samples", settings.first, settings.count);
  auto const shape = [&](Index n) {
    Shape s{n};
    for (auto const extent : one) s.push_back(extent);
    return s;
  };
  auto const key = Key{settings.seed, stream::sampling};
  auto all = X{shape(settings.count)};  // (count, …)
  auto const recording = Recorder<typename X::Backend>::recording();
  X magnitude;  // (): of all samples on a device, which is asked once, at the end
  for (Index i = 0; i < settings.count; i += settings.batch) {
    auto const n = std::min(settings.batch, settings.count - i);
    auto const at = first + static_cast<std::uint32_t>(i);
    X const part = sampler.template operator()<X>(f, shape(n), key, at);  // (n, …)
    all.view(i * one.count(), shape(n)).assign(part);
    if constexpr (!OnHost<typename X::Backend>) {
      if (recording) continue;
      X const more = sum(abs(part));  // ()
      magnitude = i == 0 ? more : X(magnitude + more);
    }
  }
  if (!recording && (OnHost<typename X::Backend> || !std::isfinite(to<Cpu>(magnitude)[0])))
    require_finite_samples(to<Cpu>(all), settings.first);
  return all;
}

/// Samples of f_θ, of the shape of its network's data.
template <class F, class X, class Sampler = OneStep>
X sample(F const& f, PreparedParameters<X> const& theta, Sampler const& sampler = {},
         SampleSettings settings = {}) {
  auto const with_theta = [&](auto const& x, auto const& t) { return f(theta.parameters(), x, t); };
  return sample<X>(with_theta, f.network().data_shape(), sampler, settings);
}
/// The same. Forms of weights are made once for this call, and go with it; a single evaluation needs none.
template <class F, class X, class Sampler = OneStep>
X sample(F const& f, Parameters<X> const& theta, Sampler const& sampler = {}, SampleSettings settings = {}) {
  if constexpr (std::same_as<Sampler, OneStep>)
    if (settings.count <= settings.batch)
      return sample<X>([&](auto const& x, auto const& t) { return f(theta, x, t); }, f.network().data_shape(),
                       sampler, settings);
  return sample(f, PreparedParameters<X>::sharing(theta), sampler, settings);
}

}  // namespace consistency
