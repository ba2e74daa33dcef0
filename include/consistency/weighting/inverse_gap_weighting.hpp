// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/weighting/weighting.hpp>

namespace consistency {

/// w(t, r) = 1 / (t − r) (Song & Dhariwal 2023, Section 3.1).
struct InverseGapWeighting {
  auto operator()(Operand auto const& t, Operand auto const& r) const { return 1.0 / (t - r); }
};
static_assert(Weighting<InverseGapWeighting, 2>);

}  // namespace consistency
