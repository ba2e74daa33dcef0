// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// |a_i − b_j|² of every two members of two populations: a (g, m, d) and b (g, n, d) to (g, m, n). Of
/// differences, not of products, so that near members are told apart.
auto squared_distances(Value auto const& a, Value auto const& b) {
  auto const g = a.shape()[0], m = a.shape()[1], n = b.shape()[1], d = a.shape()[2];
  auto const rows = reshape(a, {g, m, 1, d});
  auto const columns = reshape(b, {g, 1, n, d});
  return reshape(sum_to(square(rows - columns), {g, m, n, 1}), {g, m, n});
}

/// The same without squares, at least `least`; where it is less the gradient is 0.
auto distances(Value auto const& a, Value auto const& b, double least) {
  return evaluated(sqrt(maximum(squared_distances(a, b), least * least)));
}

}  // namespace consistency
