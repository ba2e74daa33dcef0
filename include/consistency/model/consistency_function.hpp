// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/model/preconditioned.hpp>

namespace consistency {

/// f_θ(x, t), the start of the path through x at time t: f(x, ε) = x exactly (Song et al. 2023, Section 3).
/// Of one network, a parameterization and a noise process; the last two are EDM's where none are named.
template <class N, class P = EdmPreconditioning, class Process = VarianceExploding>
class ConsistencyFunction : public Preconditioned<Kind::consistency_function, N, P, Process> {
 public:
  explicit ConsistencyFunction(N network, P parameterization = {}, Process process = {})
      : Preconditioned<Kind::consistency_function, N, P, Process>{
            std::move(network), std::move(parameterization), std::move(process)} {}
  template <HasParameterization Own>
  ConsistencyFunction(N network, Own process)
    requires std::same_as<Own, Process>
      : ConsistencyFunction{std::move(network), parameterization_of(process), process} {}
};
template <class N, HasParameterization Process>
ConsistencyFunction(N, Process)
    -> ConsistencyFunction<N, decltype(parameterization_of(std::declval<Process>())), Process>;

}  // namespace consistency
