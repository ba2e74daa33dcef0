// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/parameterization/edm_preconditioning.hpp>
#include <consistency/parameterization/trigonometric_preconditioning.hpp>
#include <consistency/parameterization/velocity_preconditioning.hpp>

namespace consistency {

/// The parameterization that a noise process has where none is named. A process of one's own has none.
inline EdmPreconditioning parameterization_of(VarianceExploding const&) { return {}; }
inline VelocityPreconditioning parameterization_of(LinearPath const&) { return {}; }
inline TrigonometricPreconditioning parameterization_of(Trigonometric const& process) {
  return {process.sigma_data};
}

template <class Process>
concept HasParameterization = requires(Process const& process) { parameterization_of(process); };

}  // namespace consistency
