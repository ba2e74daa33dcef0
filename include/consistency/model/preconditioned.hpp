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
/// process: ConsistencyFunction has s = ε, Denoiser s = 0, FlowMap an s = r of each sample, which F sees too.
template <Kind K, class N, class P, class Process>
class Preconditioned {
 public:
  static_assert(Network<N>,
                "ConsistencyFunction, Denoiser, FlowMap: the network needs parameters(), data_shape() and "
                "operator()(theta, x, conditions or time, mode)");
  static_assert(
      Parameterization<P>,
      "ConsistencyFunction, Denoiser, FlowMap: the parameterization needs c_skip(t, s), c_out(t, s), "
      "c_in(t), c_noise(t) and smallest_time");
  static_assert(NoiseProcess<Process>,
                "ConsistencyFunction, Denoiser, FlowMap: the process must be a NoiseProcess: point, "
                "velocity, denoised, "
                "… of docs/concepts/process.md");
  static_assert(
      !requires { typename P::Process; } || requires { requires std::same_as<typename P::Process, Process>; },
      "ConsistencyFunction, Denoiser, FlowMap: the parameterization belongs to another noise process: "
      "EdmPreconditioning and CtmPreconditioning to VarianceExploding, VelocityPreconditioning to "
      "LinearPath, TrigonometricPreconditioning to "
      "Trigonometric");

  static constexpr Kind kind = K;
  static constexpr bool is_flow_map = K == Kind::flow_map;

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

  /// f_θ(x, t) for x (n, …) and t (n, 1, …, 1), for any value types of θ, x and t; of a FlowMap X_{t→ε}(x).
  /// Throws shape_error for times of another shape and, on the host, config_error, naming the sample, for a
  /// time below s or not finite.
  auto operator()(auto const& theta, Operand auto const& x_lazy, Operand auto const& t_lazy,
                  Mode const& mode = {}) const {
    auto const& x = evaluated(x_lazy);
    return value(theta, x, evaluated(t_lazy), Condition<tensor_of_t<decltype(x)>>{}, mode);
  }
  auto operator()(auto const& theta, Operand auto const& x, pointwise::Number auto t, auto const&...) const {
    static_assert(!pointwise::Number<decltype(t)>,
                  "f(theta, x, t): t is a tensor of one time per sample; for one time of all samples write "
                  "Tensor<float>(x.shape().per_sample(), t)");
    return (*this)(theta, x, x);
  }
  /// X_{t→r}(x) of a FlowMap; throws config_error for r > t as well.
  auto operator()(auto const& theta, Operand auto const& x_lazy, Operand auto const& t_lazy,
                  Operand auto const& r_lazy, Mode const& mode = {}) const
    requires is_flow_map
  {
    auto const& x = evaluated(x_lazy);
    auto const none = Condition<tensor_of_t<decltype(x)>>{};
    return preconditioned(theta, x, evaluated(t_lazy), evaluated(r_lazy), none, mode);
  }

  /// f under a condition of each sample, (n, …), or none. It refers to both.
  template <class X>
  class Given {
   public:
    Given(Preconditioned const& f, Condition<X> const& condition) : f_{f}, condition_{condition} {}

    P const& parameterization() const noexcept { return f_.parameterization(); }

    /// f_θ(x, t | condition)
    auto operator()(auto const& theta, Operand auto const& x, Operand auto const& t,
                    Mode const& mode = {}) const {
      return f_.value(theta, evaluated(x), evaluated(t), condition_, mode);
    }
    /// X_{t→r}(x | condition)
    auto operator()(auto const& theta, Operand auto const& x, Operand auto const& t, Operand auto const& r,
                    Mode const& mode = {}) const
      requires is_flow_map
    {
      return f_.preconditioned(theta, evaluated(x), evaluated(t), evaluated(r), condition_, mode);
    }
    /// F in it, (n, …). What is no flow map has no r.
    auto output(auto const& theta, Value auto const& x, Value auto const& t, Value auto const& r,
                Mode const& mode = {}) const {
      return f_.output(theta, x, t, r, condition_, mode);
    }

   private:
    Preconditioned const& f_;
    Condition<X> const& condition_;
  };
  template <class X>
  Given<X> given(Condition<X> const& condition) const& {
    return {*this, condition};
  }
  template <class X>
  void given(Condition<X> const& condition) const&& = delete;  // it would outlive f

 private:
  static constexpr bool keeps_boundary = K != Kind::denoiser;
  static constexpr char const* where() {
    return is_flow_map ? "FlowMap" : keeps_boundary ? "ConsistencyFunction" : "Denoiser";
  }

  /// The time at which f(x, s) = x.
  double boundary() const { return keeps_boundary ? process_.range().smallest : 0.0; }

  auto value(auto const& theta, auto const& x, auto const& t, auto const& condition, Mode const& mode) const {
    if constexpr (is_flow_map) {
      using T = tensor_of_t<decltype(t)>;
      return preconditioned(theta, x, t, T(t.shape(), static_cast<typename T::Scalar>(boundary())), condition,
                            mode);
    } else {
      return preconditioned(theta, x, t, boundary(), condition, mode);
    }
  }

  auto preconditioned(auto const& theta, auto const& x, auto const& t, BoundaryTime auto const& s,
                      auto const& condition, Mode const& mode) const {
    auto const& p = parameterization_;
    check(x.shape(), stop_gradient(t));
    if constexpr (is_flow_map) check_end(stop_gradient(t), stop_gradient(s));
    auto const skip = evaluated(p.c_skip(t, s));             // (n, 1, …)
    auto const out = evaluated(p.c_out(t, s));               // (n, 1, …)
    auto const F = output(theta, x, t, s, condition, mode);  // (n, …)
    return evaluated(skip * x + out * F);                    // (n, …)
  }

  auto output(auto const& theta, auto const& x, auto const& t, BoundaryTime auto const& s,
              auto const& condition, Mode const& mode) const {
    auto const& p = parameterization_;
    auto const in = evaluated(p.c_in(t));       // (n, 1, …)
    auto const x_in = evaluated(in * x);        // (n, …)
    auto const time = evaluated(p.c_noise(t));  // (n, 1, …)
    if constexpr (is_flow_map) {
      auto const at = Conditions{time, condition, evaluated(p.c_noise(s))};  // (n, 1, …) and (n, k)
      return evaluate_network(network_, theta, x_in, at, mode);              // (n, …)
    } else {
      return evaluate_network(network_, theta, x_in, Conditions{time, condition}, mode);  // (n, …)
    }
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
  /// Of a flow map, which goes from t to r, the end of the path's piece.
  template <class T>
  void check_end(T const& t, T const& r) const {
    check(t.shape(), r);
    if constexpr (OnHost<typename T::Backend>)
      for (Index i = 0; i < t.count(); ++i)
        if (!(r[i] <= t[i]))
          fail<config_error>(where(), "times t and r of sample " + number_text(i),
                             number_text(t[i]) + " and " + number_text(r[i]), "r <= t: it goes towards data",
                             "Give the time of x first, then the time to go to.");
  }

  N network_;
  P parameterization_;
  Process process_;
};

}  // namespace consistency
