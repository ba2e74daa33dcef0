// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>
#include <utility>

#include <consistency/network/network.hpp>
#include <consistency/parameterization/edm_parameterization.hpp>

namespace consistency {

/// f_θ(x, t) = c_skip(t) x + c_out(t) F_θ(c_in(t) x, c_noise(t)) (Song et al. 2023, Eq. 5). With
/// EdmParameterization f(x, ε) = x; with EdmPreconditioning it is a denoiser D(x, t).
template <class N, class P = EdmParameterization>
class ConsistencyFunction {
 public:
  static_assert(Network<N>,
                "ConsistencyFunction: the network needs parameters(), data_shape() and operator()(theta, x, "
                "time, mode)");
  static_assert(
      Parameterization<P>,
      "ConsistencyFunction: the parameterization needs c_skip, c_out, c_in, c_noise, smallest_time() and "
      "boundary");

  explicit ConsistencyFunction(N network, P parameterization = {})
      : network_{std::move(network)}, parameterization_{std::move(parameterization)} {}

  N const& network() const noexcept { return network_; }
  P const& parameterization() const noexcept { return parameterization_; }

  /// Fresh parameters θ; a pure function of the key.
  template <class T = float>
  Parameters<as_tensor_t<T>> initialize(Key key) const {
    return Parameters<as_tensor_t<T>>::initialized(network_.parameters(), key);
  }

  /// f_θ(x, t) for x (n, …) and t (n, 1, …, 1), for any value types of θ, x and t. Throws shape_error for
  /// times of another shape and, on the host, config_error, naming the sample, for a time below ε or not
  /// finite.
  auto operator()(auto const& theta, Operand auto const& x_lazy, Operand auto const& t_lazy,
                  Mode const& mode = {}) const {
    auto const& x = evaluated(x_lazy);
    auto const& t = evaluated(t_lazy);
    auto const& p = parameterization_;
    check(x.shape(), stop_gradient(t));
    auto const skip = evaluated(p.c_skip(t));
    auto const out = evaluated(p.c_out(t));
    auto const in = evaluated(p.c_in(t));
    auto const F = network_(theta, evaluated(in * x), p.c_noise(t), mode);
    return evaluated(skip * x + out * F);
  }
  auto operator()(auto const& theta, Operand auto const& x, pointwise::Number auto t, auto const&...) const {
    static_assert(!pointwise::Number<decltype(t)>,
                  "f(theta, x, t): t is a tensor of one time per sample; for one time of all samples write "
                  "Tensor<float>(x.shape().per_sample(), t)");
    return (*this)(theta, x, x);
  }

 private:
  template <class T>
  void check(Shape const& shape, T const& t) const {
    if (shape.rank() == 0 || t.shape() != shape.per_sample())
      fail<shape_error>("ConsistencyFunction", "times", t.shape().text() + " for data " + shape.text(),
                        "one time per sample, (n, 1, ..., 1) of the data's rank",
                        "Build them with Tensor(x.shape().per_sample(), t).");
    if constexpr (OnHost<typename T::Backend>) {  // reading the times of a device would stop it
      auto const smallest = static_cast<typename T::Scalar>(parameterization_.smallest_time());
      for (Index i = 0; i < t.count(); ++i)
        if (!(t[i] >= smallest && std::isfinite(t[i])))
          fail<config_error>("ConsistencyFunction", "time of sample " + number_text(i), number_text(t[i]),
                             "a finite time of at least " + number_text(smallest),
                             "Times are noise levels, usually from 0.002 to 80.");
    }
  }

  N network_;
  P parameterization_;
};

}  // namespace consistency
