// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

#include <consistency/condition/condition.hpp>
#include <consistency/network/conditions.hpp>
#include <consistency/network/network.hpp>
#include <consistency/parameterization/kind.hpp>
#include <consistency/parameterization/of_process.hpp>

namespace consistency {

/// f_θ(x, t) = c_skip(t, s) x + c_out(t, s) F_θ(c_in(t) x, c_noise(t)) (Song et al. 2023, Eq. 5) on a noise
/// process: ConsistencyFunction has s = ε, Denoiser s = 0.
template <Kind K, class N, class P, class Process>
class Preconditioned {
 public:
  static_assert(Network<N>,
                "ConsistencyFunction, Denoiser: the network needs parameters(), data_shape() and "
                "operator()(theta, x, conditions or time, mode)");
  static_assert(
      Parameterization<P>,
      "ConsistencyFunction, Denoiser: the parameterization needs c_skip(t, s), c_out(t, s), c_in(t), "
      "c_noise(t) and smallest_time");
  static_assert(
      NoiseProcess<Process>,
      "ConsistencyFunction, Denoiser: the process must be a NoiseProcess: point, velocity, denoised, "
      "… of docs/concepts/process.md");
  static_assert(
      !requires { typename P::Process; } || requires { requires std::same_as<typename P::Process, Process>; },
      "ConsistencyFunction, Denoiser: the parameterization belongs to another noise process: "
      "EdmPreconditioning "
      "to VarianceExploding, VelocityPreconditioning to LinearPath, TrigonometricPreconditioning to "
      "Trigonometric");

  static constexpr Kind kind = K;

  /// Throws config_error for impossible settings of either, or two standard deviations of the data.
  Preconditioned(N network, P parameterization, Process process)
      : network_{std::move(network)},
        parameterization_{std::move(parameterization)},
        process_{std::move(process)} {
    process_.check();
    check_settings(parameterization_);
    if constexpr (requires { process_.sigma_data == parameterization_.sigma_data; })
      require_setting(process_.sigma_data == parameterization_.sigma_data, where(),
                      "sigma_data of the parameterization", parameterization_.sigma_data,
                      "that of the noise process");
  }

  N const& network() const noexcept { return network_; }
  P const& parameterization() const noexcept { return parameterization_; }
  Process const& process() const noexcept { return process_; }

  /// Fresh parameters θ; a pure function of the key.
  template <class T = float>
  Parameters<as_tensor_t<T>> initialize(Key key) const {
    return Parameters<as_tensor_t<T>>::initialized(network_.parameters(), key);
  }

  /// f_θ(x, t) for x (n, …) and t (n, 1, …, 1), for any value types of θ, x and t. Throws shape_error for
  /// times of another shape and, on the host, config_error, naming the sample, for a time below s or not
  /// finite.
  auto operator()(auto const& theta, Operand auto const& x_lazy, Operand auto const& t_lazy,
                  Mode const& mode = {}) const {
    auto const& x = evaluated(x_lazy);
    return evaluate(theta, x, evaluated(t_lazy), Condition<tensor_of_t<decltype(x)>>{}, mode);
  }
  auto operator()(auto const& theta, Operand auto const& x, pointwise::Number auto t, auto const&...) const {
    static_assert(!pointwise::Number<decltype(t)>,
                  "f(theta, x, t): t is a tensor of one time per sample; for one time of all samples write "
                  "Tensor<float>(x.shape().per_sample(), t)");
    return (*this)(theta, x, x);
  }

  /// f under a condition of each sample, (n, …): (θ, x, t, mode) ↦ f_θ(x, t | condition). It refers to both.
  template <class X>
  auto given(Condition<X> const& condition) const& {
    return [this, &condition](auto const& theta, Operand auto const& x, Operand auto const& t,
                              Mode const& mode = {}) {
      // this: Clang else takes it for unused
      return this->evaluate(theta, evaluated(x), evaluated(t), condition, mode);
    };
  }
  template <class X>
  void given(Condition<X> const& condition) const&& = delete;  // it would outlive f

 private:
  static constexpr bool keeps_boundary = K == Kind::consistency_function;
  static constexpr char const* where() { return keeps_boundary ? "ConsistencyFunction" : "Denoiser"; }

  /// The time at which f(x, s) = x.
  double boundary() const { return keeps_boundary ? process_.range().smallest : 0.0; }

  auto evaluate(auto const& theta, auto const& x, auto const& t, auto const& condition,
                Mode const& mode) const {
    auto const& p = parameterization_;
    auto const s = boundary();
    check(x.shape(), stop_gradient(t));
    auto const skip = evaluated(p.c_skip(t, s));                                    // (n, 1, …)
    auto const out = evaluated(p.c_out(t, s));                                      // (n, 1, …)
    auto const in = evaluated(p.c_in(t));                                           // (n, 1, …)
    auto const at = Conditions{evaluated(p.c_noise(t)), condition};                 // (n, 1, …) and (n, k)
    auto const F = evaluate_network(network_, theta, evaluated(in * x), at, mode);  // (n, …)
    return evaluated(skip * x + out * F);                                           // (n, …)
  }

  template <class T>
  void check(Shape const& shape, T const& t) const {
    if (shape.rank() == 0 || t.shape() != shape.per_sample())
      fail<shape_error>(where(), "times", t.shape().text() + " for data " + shape.text(),
                        "one time per sample, (n, 1, ..., 1) of the data's rank",
                        "Build them with Tensor(x.shape().per_sample(), t).");
    if constexpr (OnHost<typename T::Backend>) {  // reading the times of a device would stop it
      auto const smallest =
          static_cast<typename T::Scalar>(keeps_boundary ? boundary() : double{P::smallest_time});
      for (Index i = 0; i < t.count(); ++i)
        if (!(t[i] >= smallest && std::isfinite(t[i])))
          fail<config_error>(where(), "time of sample " + number_text(i), number_text(t[i]),
                             "a finite time of at least " + number_text(smallest),
                             "Times are those of " + process_.text() + ".");
    }
  }

  N network_;
  P parameterization_;
  Process process_;
};

}  // namespace consistency
