// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/editing/edit.hpp>

namespace consistency {

/// Fills the pixels of y (m, …) where the mask, broadcast to y, is 1, and keeps the others as they are (Song
/// et al. 2023, Algorithm 4 with A = I). Returns (m · results, …); throws as Edit does.
template <class X>
X inpaint(auto const& f, auto const& theta, X y, X mask, EditSettings const& settings = {}) {
  return detail::edited(f, theta, Edit<X>{std::move(y), std::move(mask)}, settings);
}

}  // namespace consistency
