// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <utility>

#include <consistency/model/preconditioned.hpp>
#include <consistency/process/linear_path.hpp>

namespace consistency {

/// X_{t→r}(x), the point at time r of the path through x at time t, for r ≤ t: X_{t→t}(x) = x exactly (Kim et
/// al. 2023; Boffi et al. 2024). X(θ, x, t) is X_{t→ε}(x), and so a flow map may stand where a consistency
/// function is asked for. Of a network of (x, t, r), a parameterization and a noise process; the last two are
/// the average velocity on the linear path where none are named.
template <class N, class P = VelocityPreconditioning, class Process = LinearPath>
class FlowMap : public Preconditioned<Kind::flow_map, N, P, Process> {
 public:
  static_assert(FlowMapParameterization<P>,
                "FlowMap: the parameterization must take a time of each sample as s, in c_skip(t, s) and "
                "c_out(t, s)");
  static_assert(detail::TakesBesideX<N, Conditions<Tensor<float>, Tensor<float>>>,
                "FlowMap: the network must take Conditions, whose .end is the time to go to; Mlp, UNet, "
                "SongUNet and Adm do with .condition = {.second_time = SecondTime::gap}");

  /// Throws config_error for a network whose settings have no second time, and as the others do.
  explicit FlowMap(N network, P parameterization = {}, Process process = default_process())
      : Preconditioned<Kind::flow_map, N, P, Process>{std::move(network), std::move(parameterization),
                                                      std::move(process)} {
    if constexpr (requires { this->network().settings().condition.second_time; })
      if (this->network().settings().condition.second_time == SecondTime::none)
        fail<config_error>("FlowMap", "second time of the network", "none", "end or gap",
                           "Construct it with .condition = {.second_time = SecondTime::gap}.");
  }
  template <HasParameterization Own>
  FlowMap(N network, Own process)
    requires std::same_as<Own, Process>
      : FlowMap{std::move(network), parameterization_of(process), process} {}

 private:
  /// The linear path down to the data themselves, others as they are.
  static Process default_process() {
    if constexpr (std::same_as<Process, LinearPath>)
      return {.epsilon = 0};
    else
      return {};
  }
};
template <class N, HasParameterization Process>
FlowMap(N, Process) -> FlowMap<N, decltype(parameterization_of(std::declval<Process>())), Process>;

}  // namespace consistency
