// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <utility>
#include <variant>

#include <consistency/process/linear_path.hpp>
#include <consistency/process/trigonometric.hpp>
#include <consistency/process/variance_exploding.hpp>
#include <consistency/schedule/time_pair.hpp>

namespace policies {

using namespace consistency;

/// The same policy for a training of K steps.
template <class P>
P planned(P policy, Index K) {
  if constexpr (requires { policy.curriculum.K = K; }) policy.curriculum.K = K;
  if constexpr (requires { policy.stages() + policy.stage_steps; })
    policy.stage_steps = std::max<Index>(1, K / policy.stages());
  else if constexpr (requires { policy.stages + policy.stage_steps; })
    policy.stage_steps = std::max<Index>(1, K / policy.stages);
  return policy;
}

/// Times t > r of any policy, chosen while the program runs: a sample draws them once, and the code of a
/// gradient is compiled once for all of them.
class AnyTimes {
 public:
  template <TimePairs T>
  explicit AnyTimes(T times) : times_{std::make_shared<Of<T>>(std::move(times))} {}

  AnyTimes during(Index K) const { return AnyTimes{times_->during(K)}; }
  void check(NoiseProcess auto const& process) const { times_->check(process); }
  TimePair draw(NoiseProcess auto const& process, Index k, Key key, Counter at) const {
    return times_->draw(process, k, key, at);
  }
  double resolution(Index k) const { return times_->resolution(k); }

 private:
  using Process = std::variant<VarianceExploding, LinearPath, Trigonometric>;
  struct Interface {
    Interface() = default;
    Interface(Interface const&) = delete;
    Interface& operator=(Interface const&) = delete;
    virtual ~Interface() = default;
    virtual std::shared_ptr<Interface> during(Index K) const = 0;
    virtual void check(Process const& process) const = 0;
    virtual TimePair draw(Process const& process, Index k, Key key, Counter at) const = 0;
    virtual double resolution(Index k) const = 0;
  };
  template <class T>
  struct Of final : Interface {
    explicit Of(T of) : times{std::move(of)} {}
    std::shared_ptr<Interface> during(Index K) const override {
      return std::make_shared<Of>(planned(times, K));
    }
    void check(Process const& process) const override {
      std::visit([&](auto const& one) { check_settings(times, one); }, process);
    }
    TimePair draw(Process const& process, Index k, Key key, Counter at) const override {
      return std::visit([&](auto const& one) { return times.draw(one, k, key, at); }, process);
    }
    double resolution(Index k) const override { return times.resolution(k); }
    T times;
  };

  explicit AnyTimes(std::shared_ptr<Interface const> times) : times_{std::move(times)} {}

  std::shared_ptr<Interface const> times_;
};
static_assert(TimePairs<AnyTimes>);

}  // namespace policies
