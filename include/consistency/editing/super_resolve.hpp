// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <vector>

#include <consistency/editing/edit.hpp>

namespace consistency {

/// The A of super-resolution: the first `channels` coordinates of p×p pixels are the mean of each channel, up
/// to a factor (Song et al. 2023, Appendix D).
inline OrthogonalTransform patch_mean_transform(Index p, Index channels) {
  require_setting(p >= 2 && channels >= 1, "patch_mean_transform", "p", static_cast<double>(p),
                  "2 or more, and 1 channel or more");
  auto const pixels = static_cast<std::size_t>(p * p), c = static_cast<std::size_t>(channels);
  auto const H = first_along(std::vector<double>(pixels, 1.0));
  auto const k = pixels * c;
  std::vector<double> Q(k * k);
  for (std::size_t i = 0; i < pixels; ++i)
    for (std::size_t j = 0; j < pixels; ++j)
      for (std::size_t channel = 0; channel < c; ++channel)
        Q[(i * c + channel) * k + j * c + channel] = H[i * pixels + j];
  return {p, p * p * channels, Q};
}

/// Images p times as high and wide as y (m, h, w, c), whose p×p pixels have the means that y says. Returns
/// (m · results, p h, p w, c), of the shape of f's data; throws as Edit does.
template <class X>
X super_resolve(auto const& f, auto const& theta, X const& y, Index p, EditSettings const& settings = {}) {
  using S = typename X::Scalar;
  auto const transform = patch_mean_transform(p, y.shape().back());
  std::vector<S> generated(static_cast<std::size_t>(transform.size()), 1);
  std::fill_n(generated.begin(), y.shape().back(), S(0));
  X const mask = to<typename X::Backend>(Tensor<S>{{1, 1, 1, transform.size()}, generated});
  X const zeros = X{y.shape().with_channels(transform.size() - y.shape().back()), S(0)};
  X const coordinates = concat(X{static_cast<double>(p) * y}, zeros);  // (m, h, w, p p c)
  X const wide = transform.inverse(coordinates);                       // (m, p h, p w, c)
  return detail::edited(f, theta, Edit<X, OrthogonalTransform>{wide, mask, transform}, settings);
}

}  // namespace consistency
