// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include <consistency/network/time_function.hpp>
#include <consistency/training/method.hpp>

namespace consistency {

struct LearnedWeightingSettings {
  Index channels = 128;  ///< features of the time, even
  TimeEmbedding time{.kind = TimeEmbedding::Kind::fourier};
};

/// A method that learns the weight of each time beside θ: it minimises E[e^{−u(t)} d + u(t)], where d is the
/// method's weighted distance of a sample and u a linear map of features of the time (Karras et al.
/// 2024), of a flow map u(t) + u'(r). At the optimum e^{u(t)} is the mean of d at t, so that all times count
/// alike. Training starts from `initialize(key)`, whose parameters `weighting.*` come after the network's;
/// `selected` leaves them out.
template <class M>
class LearnedWeighting : public M {
 public:
  explicit LearnedWeighting(M method, LearnedWeightingSettings settings = {})
      : M{std::move(method)},
        table_{this->f.network().parameters()},
        u_{table_, "weighting", settings.time, settings.channels} {
    if constexpr (of_flow_map) end_.emplace(table_, "weighting.end", settings.time, settings.channels);
  }

  ParameterTable const& parameters() const noexcept { return table_; }  ///< the network's, then its own
  template <class T = float>
  Parameters<as_tensor_t<T>> initialize(Key key) const {
    return Parameters<as_tensor_t<T>>::initialized(table_, key);
  }

  /// u(t) for t (n, 1, …): (n, 1).
  auto log_mean(auto const& theta, Operand auto const& t) const {
    return u_(theta, this->f.parameterization().c_noise(t));
  }
  auto loss(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    auto const d = M::distance(theta, theta_minus, batch, drawn);  // (n, 1, …)
    auto const shape = stop_gradient(d).shape();
    auto u = reshape(log_mean(theta, drawn.times[0]), shape);  // (n, 1, …)
    if constexpr (of_flow_map)
      u = u + reshape((*end_)(theta, this->f.parameterization().c_noise(drawn.times[2])), shape);
    return mean(exp(-1.0 * u) * d + u);  // ()
  }

 private:
  static constexpr bool of_flow_map = requires { requires decltype(M::f)::is_flow_map; };

  ParameterTable table_;
  TimeFunction u_;
  std::optional<TimeFunction> end_;  // u'
};

}  // namespace consistency
