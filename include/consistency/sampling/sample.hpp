// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <span>

#include <consistency/condition/given.hpp>
#include <consistency/core/check.hpp>
#include <consistency/network/prepared_parameters.hpp>
#include <consistency/process/process_of.hpp>
#include <consistency/sampling/observed.hpp>
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
  Tensor<float> noise{};  ///< (count, …): z ~ N(0, I) that sampling begins with; undefined: drawn from `seed`
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

/// The noise of the caller as numbers X.
template <class X>
X noise_of(SampleSettings const& settings, Shape const& one) {
  if (!settings.noise.defined()) return {};
  if (settings.noise.shape() != one.samples(settings.count))
    fail<shape_error>("sample", "noise", settings.noise.shape().text(),
                      one.samples(settings.count).text() + ", one for each sample");
  return to_numbers<X>(settings.noise);
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

namespace detail {

/// Hands the samples of each batch to put(i, samples (n, …)), i counted from 0.
template <class X, class F, NoiseProcess Process, Sampler<X> S>
void draw(F const& f, Process const& process, Shape const& one, S const& sampler,
          SampleSettings const& settings, auto& observer, auto const& put) {
  static_assert(may_be<F, S::kind>,
                "sample: a ConsistencyFunction is drawn from by OneStep or Multistep, a Denoiser by "
                "OdeSampler, a FlowMap "
                "by FlowMapSampler too");
  process.check();
  if (settings.count < 1 || settings.batch < 1 || settings.first < 0)
    fail<config_error>(
        "sample", "count, batch, first",
        number_text(settings.count) + ", " + number_text(settings.batch) + ", " + number_text(settings.first),
        "count >= 1, batch >= 1, first >= 0");
  auto const first = counted("sample", "samples", settings.first, settings.count);
  auto const key = Key{settings.seed, stream::sampling};
  auto const condition = condition_of<X>(settings);  // (count, features), or undefined
  auto const noise = noise_of<X>(settings, one);     // (count, …), or undefined
  for (Index i = 0; i < settings.count; i += settings.batch) {
    auto const n = std::min(settings.batch, settings.count - i);
    auto const at = first + static_cast<std::uint32_t>(i);
    auto const shape = one.samples(n);
    X const z =
        noise.defined() ? noise.view(i * one.count(), shape) : normal<X>(shape, key, {0, at});  // (n, …)
    auto const own = condition.rows(i, n);  // (n, features)
    decltype(auto) conditioned = with_condition(f, own);
    if constexpr (std::same_as<std::remove_cvref_t<decltype(observer)>, Unobserved>) {
      put(i, X{sampler(conditioned, process, z, key, at)});
    } else {
      using Bound = std::remove_cvref_t<decltype(conditioned)>;
      auto const seen = Observed<Bound, X, std::remove_reference_t<decltype(observer)>>{conditioned, observer,
                                                                                        i, settings.count};
      put(i, X{sampler(seen, process, z, key, at)});
    }
  }
}

}  // namespace detail

/// `count` samples (count, …) of any f(x, t), or f.given(condition)(x, t), on data of shape `one`, of a noise
/// process; an observer sees each evaluation. Throws config_error for a count or batch below 1, more samples
/// than 2^32 or a condition of another count, shape_error for noise of another shape, and numeric_error for a
/// sample that is not finite; recorded work leaves that test to its caller.
template <class X = Tensor<float>, class F, NoiseProcess Process, Sampler<X> S = OneStep,
          Observer<X> O = Unobserved>
X sample(F const& f, Process const& process, Shape const& one, S const& sampler = {},
         SampleSettings const& settings = {}, O&& observer = {}) {
  X all, magnitude;  // (count, …), and (): of all samples on a device, which is asked once, at the end
  auto const recording = Recorder<typename X::Backend>::recording();
  detail::draw<X>(f, process, one, sampler, settings, observer, [&](Index i, X const& part) {
    if (i == 0) all = X{one.samples(settings.count)};
    all.view(i * one.count(), part.shape()).assign(part);
    if constexpr (!OnHost<typename X::Backend>) {
      if (recording) return;
      X const more = sum(abs(part));  // ()
      magnitude = i == 0 ? more : X(magnitude + more);
    }
  });
  if (!recording && (OnHost<typename X::Backend> || !std::isfinite(to<Cpu>(magnitude)[0])))
    require_finite_samples(to<Cpu>(all), settings.first);
  return all;
}

/// The same of a callable that names its process itself, or is of the paper's.
template <class X = Tensor<float>, class F, Sampler<X> S = OneStep, Observer<X> O = Unobserved>
X sample(F const& f, Shape const& one, S const& sampler = {}, SampleSettings const& settings = {},
         O&& observer = {}) {
  return sample<X>(f, process_of(f), one, sampler, settings, observer);
}

namespace detail {

/// f_θ(x, t) as a function of x and t, and r of a flow map.
template <class F, class X>
struct WithParameters {
  static constexpr Kind kind = F::kind;
  F const& f;
  Parameters<X> const& theta;

  auto operator()(std::same_as<X> auto const&... x_and_times) const { return f(theta, x_and_times...); }
  auto given(Condition<X> const& condition) const {
    return [this, bound = f.given(condition)](std::same_as<X> auto const&... x_and_times) {
      return bound(theta, x_and_times...);
    };
  }
};

}  // namespace detail

/// Samples of f_θ, of the shape of its network's data.
template <class F, class X, Sampler<X> S = OneStep, Observer<X> O = Unobserved>
X sample(F const& f, PreparedParameters<X> const& theta, S const& sampler = {},
         SampleSettings const& settings = {}, O&& observer = {}) {
  return sample<X>(detail::WithParameters<F, X>{f, theta.parameters()}, f.process(), f.network().data_shape(),
                   sampler, settings, observer);
}
/// The same. Forms of weights are made once for this call, and go with it; a single evaluation needs none.
template <class F, class X, Sampler<X> S = OneStep, Observer<X> O = Unobserved>
X sample(F const& f, Parameters<X> const& theta, S const& sampler = {}, SampleSettings const& settings = {},
         O&& observer = {}) {
  if constexpr (std::same_as<S, OneStep>)
    if (settings.count <= settings.batch)
      return sample<X>(detail::WithParameters<F, X>{f, theta}, f.process(), f.network().data_shape(), sampler,
                       settings, observer);
  return sample(f, PreparedParameters<X>::sharing(theta), sampler, settings, observer);
}

/// Samples of f_θ in the caller's memory, `count` after each other. Throws shape_error, before anything is
/// drawn, for memory of another size, and else as sample does; with a numeric_error the samples are there.
template <class F, class X, Sampler<X> S = OneStep, Observer<X> O = Unobserved>
void sample_into(std::span<typename X::Scalar> out, F const& f, PreparedParameters<X> const& theta,
                 S const& sampler = {}, SampleSettings const& settings = {}, O&& observer = {}) {
  auto const one = f.network().data_shape();
  auto const all = settings.count * one.count();
  if (static_cast<Index>(out.size()) != all)
    fail<shape_error>("sample_into", "numbers of memory", number_text(out.size()),
                      number_text(all) + ", " + number_text(settings.count) + " samples of " + one.text());
  detail::draw<X>(detail::WithParameters<F, X>{f, theta.parameters()}, f.process(), one, sampler, settings,
                  observer, [&](Index i, X const& part) {
                    auto const host = to<Cpu>(part);  // (n, …)
                    std::copy_n(host.data(), host.count(), out.data() + i * one.count());
                    require_finite_samples(host, settings.first + i);
                  });
}

}  // namespace consistency
