// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <consistency/core/executor.hpp>
#include <consistency/core/memory.hpp>
#include <consistency/core/sole_use.hpp>
#include <consistency/core/thread_pool.hpp>
#include <consistency/data/normalizer.hpp>
#include <consistency/sampling/sample.hpp>

namespace consistency {

struct SessionSettings {
  Index batch = 1;                         ///< the most samples of a call
  unsigned threads = 1;                    ///< of this session alone; 1: the caller's and no other
  std::optional<HostExecutor> executor{};  ///< the program's own threads, in place of the session's
  Normalizer data{};                       ///< what is drawn is given in the data's numbers
  Normalizer condition{};                  ///< and conditions are taken in theirs
};

/// What one call draws.
struct DrawSettings {
  std::uint64_t seed = 0;
  Index first = 0;                     ///< index of the first sample, as in SampleSettings
  std::span<float const> condition{};  ///< (n, features) as ConditionModel::features() has them, or none
  std::span<float const> noise{};  ///< (n, …): z ~ N(0, I) that sampling begins with; none: drawn from `seed`
};

/// Draws in the loop of an application: once it is made, draw() asks for no memory and takes no lock, and
/// sessions do not wait for each other. One thread at a time draws from a session; bits are those of
/// `sample`.
template <class F, Sampler<Tensor<float>> S = OneStep>
class SamplingSession {
 public:
  using X = Tensor<float>;
  static_assert(may_be<F, S::kind>,
                "SamplingSession: a ConsistencyFunction is drawn from by OneStep or Multistep, a Denoiser by "
                "OdeSampler");

  /// Draws a few times, so that memory and forms of weights are there. Throws config_error for a batch below
  /// 1, no threads, a Normalizer of other data, or settings that the sampler rejects, and as draw() does.
  SamplingSession(F f, PreparedParameters<X> theta, S sampler = {}, SessionSettings settings = {})
      : f_{std::move(f)},
        theta_{std::move(theta)},
        sampler_{std::move(sampler)},
        settings_{std::move(settings)},
        pool_{settings_.executor ? 1 : settings_.threads, true} {
    require_within(where, "batch", settings_.batch, 1, Index{1} << 31U);
    f_.process().check();
    settings_.data.check(where, sample_shape().back());
    settings_.condition.check(where, condition_size());
    warm_up(settings_.batch);
  }

  F const& f() const noexcept { return f_; }
  SessionSettings const& settings() const noexcept { return settings_; }
  Shape sample_shape() const { return f_.network().data_shape(); }  ///< of one sample
  /// Features of a sample's condition; 0: there is none.
  Index condition_size() const {
    if constexpr (requires { f_.network().settings().condition.features; })
      return f_.network().settings().condition.features;
    else
      return 0;
  }

  /// Takes memory for calls of n samples, which the first of fewer than `batch` would else ask for.
  void warm_up(Index n) {
    std::vector<float> out(static_cast<std::size_t>(n * sample_shape().count()));
    std::vector<float> const condition(static_cast<std::size_t>(n * condition_size()));
    for (int i = 0; i < 3; ++i) draw(out, {.condition = condition});
  }

  /// Whole samples after each other, as many as `out` holds; the observer sees each evaluation, and may stop
  /// it. Throws shape_error for memory of another size and config_error where another thread is drawing,
  /// before anything is drawn, and numeric_error for a sample or a condition that is not finite.
  template <Observer<X> O = Unobserved>
  void draw(std::span<float> out, DrawSettings const& settings, O&& observer = {}) {
    auto const busy = detail::SoleUse{in_use_, where, "a session",
                                      "Make a session for each thread; they may share the parameters."};
    auto const own = Own{*this};
    auto const n = samples(out, settings);
    auto const shape = sample_shape().samples(n);
    auto const key = Key{settings.seed, stream::sampling};
    auto const first = counted(where, "samples", settings.first, n);
    X const z =
        settings.noise.empty() ? normal<X>(shape, key, {0, first}) : X{shape, settings.noise};  // (n, …)
    auto const condition = condition_of(settings, n);                                           // (n, k)
    auto const f = detail::WithParameters<F, X>{f_, theta_.parameters()};
    decltype(auto) conditioned = with_condition(f, condition);
    auto const put = [&](auto const& function) {
      X const x = sampler_(function, f_.process(), z, key, first);  // (n, …)
      std::copy_n(x.data(), x.count(), out.data());
      require_finite_samples(x, settings.first);
      settings_.data.restore(out);
    };
    if constexpr (std::same_as<std::remove_cvref_t<O>, Unobserved>) {
      put(conditioned);
    } else {
      using Bound = std::remove_cvref_t<decltype(conditioned)>;
      put(detail::Observed<Bound, X, std::remove_reference_t<O>>{conditioned, observer, 0, n});
    }
  }

 private:
  static constexpr auto where = "SamplingSession";

  /// The session's own threads and memory.
  struct Own {
    explicit Own(SamplingSession& s) noexcept : memory{s.memory_} {
      if (s.settings_.executor)
        loops.emplace(*s.settings_.executor);
      else
        loops.emplace(s.pool_);
    }
    MemoryCache::Scope memory;
    std::optional<ExecutorScope> loops;
  };

  /// How many samples are asked for.
  Index samples(std::span<float const> out, DrawSettings const& settings) const {
    auto const one = sample_shape().count(), found = static_cast<Index>(out.size()), n = found / one;
    if (found % one != 0 || n < 1 || n > settings_.batch)
      fail<shape_error>(where, "numbers of memory", number_text(found),
                        number_text(one) + " for each of 1 to " + number_text(settings_.batch) + " samples");
    if (!settings.noise.empty() && settings.noise.size() != out.size())
      fail<shape_error>(where, "numbers of noise", number_text(settings.noise.size()),
                        number_text(found) + ", as many as are drawn");
    if (static_cast<Index>(settings.condition.size()) != n * condition_size())
      fail<shape_error>(where, "numbers of the condition", number_text(settings.condition.size()),
                        number_text(condition_size()) + " for each of " + number_text(n) + " samples");
    return n;
  }
  /// In the model's numbers.
  Condition<X> condition_of(DrawSettings const& settings, Index n) const {
    if (settings.condition.empty()) return {};
    auto features = X{{n, condition_size()}, settings.condition};  // (n, k)
    settings_.condition.normalize(std::span<float>{features.mutable_data(), settings.condition.size()});
    for (Index i = 0; i < features.count(); ++i)
      if (!std::isfinite(features[i]))
        fail<numeric_error>(where, "condition, number " + number_text(i), number_text(features[i]),
                            "finite numbers");
    return Condition<X>{std::move(features)};
  }

  F f_;
  PreparedParameters<X> theta_;
  S sampler_;
  SessionSettings settings_;
  MemoryCache memory_;
  ThreadPool pool_;
  std::atomic<bool> in_use_{false};
};

}  // namespace consistency
