// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace consistency {

/// What a function of (x, t) gives: the start of the path through x, with f(x, ε) = x, or the mean of the
/// data under the noise, E[x₀ | x_t = x]. A flow map, of (x, t, r), gives the path's point at r.
enum class Kind : std::uint8_t { consistency_function, denoiser, flow_map };

/// Whether F, by what its type says, may be of that kind. A callable that says nothing may be of any, and a
/// flow map with r = ε is a consistency function.
template <class F, Kind kind>
inline constexpr bool may_be = !requires {
  requires F::kind != kind && !(F::kind == Kind::flow_map && kind == Kind::consistency_function);
};

}  // namespace consistency
