// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <utility>
#include <vector>

#include <consistency/editing/edit.hpp>

namespace consistency {

/// The A of colorization: the first coordinate of a pixel is its luminance, 0.2989 R + 0.587 G + 0.114 B, up
/// to a factor (Song et al. 2023, Appendix D).
inline OrthogonalTransform luminance_transform() {
  return {1, 3, first_along(std::array{0.2989, 0.5870, 0.1140})};
}

/// Colours for grey images y (m, h, w, 3), of whose pixels the luminance counts and is kept; a grey image has
/// three equal channels. Returns (m · results, h, w, 3); throws as Edit does, and shape_error for other than
/// three channels.
template <class X>
X colorize(auto const& f, auto const& theta, X y, EditSettings const& settings = {}) {
  using S = typename X::Scalar;
  X const mask = to<typename X::Backend>(Tensor<S>{{1, 1, 1, 3}, std::vector<S>{0, 1, 1}});
  return detail::edited(f, theta, Edit<X, OrthogonalTransform>{std::move(y), mask, luminance_transform()},
                        settings);
}

}  // namespace consistency
