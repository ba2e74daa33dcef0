// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/model/preconditioned.hpp>

namespace consistency {

/// D_θ(x, t), the mean of the data under the noise, E[x₀ | x_t = x] (Karras et al. 2022, Section 2). Of one
/// network, a parameterization and a noise process; the last two are EDM's where none are named.
template <class N, class P = EdmPreconditioning, class Process = VarianceExploding>
class Denoiser : public Preconditioned<Kind::denoiser, N, P, Process> {
 public:
  explicit Denoiser(N network, P parameterization = {}, Process process = {})
      : Preconditioned<Kind::denoiser, N, P, Process>{std::move(network), std::move(parameterization),
                                                      std::move(process)} {}
  template <HasParameterization Own>
  Denoiser(N network, Own process)
    requires std::same_as<Own, Process>
      : Denoiser{std::move(network), parameterization_of(process), process} {}
};
template <class N, HasParameterization Process>
Denoiser(N, Process) -> Denoiser<N, decltype(parameterization_of(std::declval<Process>())), Process>;

}  // namespace consistency
