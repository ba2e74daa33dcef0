// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <type_traits>

#include <consistency/solver/euler.hpp>

namespace consistency {

/// The exact step of a process for the data D(x, t) that the velocity is made of (Song et al. 2021, Eq. 12; η
/// = 0). On a straight process it is Euler's.
struct Ddim {
  static constexpr int order = 1;

  template <Value X>
  X step(auto const& v, X const& x, Value auto const& t, Value auto const& s) const {
    if constexpr (requires { v.process.step(x, v.denoised(x, t), t, s); }) {
      return v.process.step(x, v.denoised(x, t), t, s);
    } else {
      return Euler{}.step(v, x, t, s);
    }
  }
};
static_assert(OdeSolver<Ddim>);

/// The step that ends at the same data under the same noise, where the velocity comes from the data.
template <class Process>
using DataStep = std::conditional_t<Process::straight, Euler, Ddim>;

}  // namespace consistency
