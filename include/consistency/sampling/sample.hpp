// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>

#include <consistency/condition/given.hpp>
#include <consistency/core/check.hpp>
#include <consistency/network/prepared_parameters.hpp>
#include <consistency/process/process_of.hpp>
#include <consistency/sampling/one_step.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/recorder.hpp>

namespace consistency {

struct SampleSettings {
  std::uint64_t seed = 0;
  Index count = 1;
  Index first = 0;   ///< index of the first sample: sample i of a seed is the same picture in any batch
  Index batch = 64;  ///< evaluated at a time
  /// What each of the `count` samples is to be like, for an f that takes it: ClassLabels, Observations, …
  Condition<Tensor<float>> condition{};
};

/// The condition of the samples as numbers X.
template <class X>
Condition<X> condition_of(SampleSettings const& settings) {
  if (settings.condition.defined() && settings.condition.count() != settings.count)
    fail<config_error>("sample", "condition",
                       "one of " + number_text(settings.condition.count()) + " samples",
                       "one for each of the " + number_text(settings.count) + " samples",
                       "Give as many labels or observations as .count.");
  return to_numbers<X>(settings.condition);
}

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

/// `count` samples (count, …) of any f(x, t), or f.given(condition)(x, t), on data of shape `one`, of a noise
/// process. Throws config_error for a count or batch below 1, more samples than 2^32 or a condition of
/// another count, and numeric_error for a sample that is not finite; recorded work leaves that test to its
/// caller.
template <class X = Tensor<float>, class F, NoiseProcess Process, Sampler S = OneStep>
X sample(F const& f, Process const& process, Shape const& one, S const& sampler = {},
         SampleSettings const& settings = {}) {
  static_assert(
      may_be<F, S::kind>,
      "sample: a ConsistencyFunction is drawn from by OneStep or Multistep, a Denoiser by OdeSampler");
  process.check();
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
  auto const condition = condition_of<X>(settings);  // (count, features), or undefined
  auto all = X{shape(settings.count)};               // (count, …)
  auto const recording = Recorder<typename X::Backend>::recording();
  X magnitude;  // (): of all samples on a device, which is asked once, at the end
  for (Index i = 0; i < settings.count; i += settings.batch) {
    auto const n = std::min(settings.batch, settings.count - i);
    auto const at = first + static_cast<std::uint32_t>(i);
    auto const own = condition.rows(i, n);  // (n, features)
    X const part =
        sampler.template operator()<X>(with_condition(f, own), process, shape(n), key, at);  // (n, …)
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

/// The same of a callable that names its process itself, or is of the paper's.
template <class X = Tensor<float>, class F, Sampler S = OneStep>
X sample(F const& f, Shape const& one, S const& sampler = {}, SampleSettings const& settings = {}) {
  return sample<X>(f, process_of(f), one, sampler, settings);
}

namespace detail {

/// f_θ(x, t) as a function of x and t.
template <class F, class X>
struct WithParameters {
  static constexpr Kind kind = F::kind;
  F const& f;
  Parameters<X> const& theta;

  auto operator()(X const& x, X const& t) const { return f(theta, x, t); }
  auto given(Condition<X> const& condition) const {
    return [this, bound = f.given(condition)](X const& x, X const& t) { return bound(theta, x, t); };
  }
};

}  // namespace detail

/// Samples of f_θ, of the shape of its network's data.
template <class F, class X, Sampler S = OneStep>
X sample(F const& f, PreparedParameters<X> const& theta, S const& sampler = {},
         SampleSettings const& settings = {}) {
  return sample<X>(detail::WithParameters<F, X>{f, theta.parameters()}, f.process(), f.network().data_shape(),
                   sampler, settings);
}
/// The same. Forms of weights are made once for this call, and go with it; a single evaluation needs none.
template <class F, class X, Sampler S = OneStep>
X sample(F const& f, Parameters<X> const& theta, S const& sampler = {}, SampleSettings const& settings = {}) {
  if constexpr (std::same_as<S, OneStep>)
    if (settings.count <= settings.batch)
      return sample<X>(detail::WithParameters<F, X>{f, theta}, f.process(), f.network().data_shape(), sampler,
                       settings);
  return sample(f, PreparedParameters<X>::sharing(theta), sampler, settings);
}

}  // namespace consistency
