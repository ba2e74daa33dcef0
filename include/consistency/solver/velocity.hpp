#pragma once

#include <consistency/network/parameters.hpp>
#include <consistency/solver/solver.hpp>

namespace consistency {

/// Where the velocity of the probability-flow ODE comes from: dx/dt = (x − D(x, t)) / t with a denoiser D.
/// `source.given(x0)` is v(x, t) for a batch with clean data x0. Models: DataVelocity, TeacherVelocity.

/// D = the clean data itself: consistency training (Song et al. 2023, Section 5, Eq. 9).
struct DataVelocity {
  template <Value X>
  auto given(X const& x0) const {
    return [&x0](Value auto const& x, Operand auto const& t) { return (x - x0) / t; };
  }
};

/// D = a trained denoiser with parameters φ: consistency distillation (Song et al. 2023, Section 4).
template <class Denoiser, class P>
struct TeacherVelocity {
  Denoiser denoiser;
  P phi;

  auto given(Value auto const&) const {
    return [this](Value auto const& x, Operand auto const& t) {
      return evaluated((x - denoiser(phi, x, t)) / t);
    };
  }
};
template <class Denoiser, class P>
TeacherVelocity(Denoiser, P) -> TeacherVelocity<Denoiser, P>;

}  // namespace consistency
