// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <consistency/sampling/sampler.hpp>

namespace consistency {

/// One evaluation: f(x_T, T) of noise x_T (Song et al. 2023, Section 3).
struct OneStep {
  static constexpr Kind kind = Kind::consistency_function;

  template <class X>
  X operator()(auto const& f, NoiseProcess auto const& process, X const& z, Key, std::uint32_t) const {
    X const x = process.prior(z);                                  // (n, …)
    return f(x, detail::time_column(x, process.range().largest));  // (n, …)
  }
};
static_assert(Sampler<OneStep>);

}  // namespace consistency
