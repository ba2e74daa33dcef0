// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/weighting/weighting.hpp>

namespace consistency {

/// max(1 / t², 1), the truncated signal-to-noise ratio (Salimans & Ho 2022, Section 4).
struct TruncatedSnrWeighting {
  using Process = VarianceExploding;
  auto operator()(Operand auto const& t) const {
    auto const snr = 1.0 / square(t);
    return 0.5 * (snr + 1.0 + abs(snr - 1.0));
  }
};
static_assert(Weighting<TruncatedSnrWeighting, 1>);

}  // namespace consistency
