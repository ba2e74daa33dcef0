// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace consistency {

/// What a function of (x, t) gives: the start of the path through x, with f(x, ε) = x, or the mean of the
/// data under the noise, E[x₀ | x_t = x].
enum class Kind : std::uint8_t { consistency_function, denoiser };

/// Whether F, by what its type says, may be of that kind. A callable that says nothing may be of either.
template <class F, Kind kind>
inline constexpr bool may_be = !requires { requires F::kind != kind; };

}  // namespace consistency
