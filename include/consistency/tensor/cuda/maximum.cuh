// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/cuda/device.cuh>
#include <consistency/tensor/cuda/maximum.hpp>

namespace consistency::cuda {

/// Is b larger than a, or NaN?
template <class S>
CONSISTENCY_HD bool exceeded(S a, S b) {
  return a < b || b != b;
}

/// Pooled pixel i and the place in x of its largest number.
template <class S, bool Gradient>
struct MaxPoolImage {
  S const* x;
  S const* other;  // d, or g
  S* to;           // y, or dx
  Extent w, c;     // of y
  CONSISTENCY_HD void operator()(Extent i) const {
    auto const channel = i % c;
    auto const pixel = i / c;
    auto const first = (pixel / w * 4 * w + pixel % w * 2) * c + channel;
    auto best = first;
    for (Extent k = 1; k < 4; ++k) {
      auto const at = first + (k / 2 * 2 * w + k % 2) * c;
      if (exceeded(x[best], x[at])) best = at;
    }
    if constexpr (Gradient) {
      for (Extent k = 0; k < 4; ++k) to[first + (k / 2 * 2 * w + k % 2) * c] = S(0);
      to[best] = other[i];
    } else {
      to[i] = other[best];
    }
  }
};

template <CompiledScalar S>
void max_pool(S const* x, S const* d, Index lines, Index w, Index c, S* y) {
  static_cast<void>(extent(4 * lines * w * c));
  for_each(lines * w * c, MaxPoolImage<S, false>{x, d, y, static_cast<Extent>(w), static_cast<Extent>(c)});
}
template <CompiledScalar S>
void max_pool_gradient(S const* x, S const* g, Index lines, Index w, Index c, S* dx) {
  static_cast<void>(extent(4 * lines * w * c));
  for_each(lines * w * c, MaxPoolImage<S, true>{x, g, dx, static_cast<Extent>(w), static_cast<Extent>(c)});
}

/// A number and its place; of equals the first counts.
template <class S>
struct Candidate {
  S value;
  Extent at;
};
template <class S>
struct Best {
  CONSISTENCY_HD Candidate<S> operator()(Candidate<S> const& a, Candidate<S> const& b) const {
    if (a.at < 0) return b;
    if (b.at < 0) return a;
    auto const& left = a.at < b.at ? a : b;
    auto const& right = a.at < b.at ? b : a;
    return exceeded(left.value, right.value) ? right : left;
  }
};

template <class S, bool Gradient>
struct MaxRow {
  S const* x;
  S const* other;
  S* to;
  Extent columns;
  CONSISTENCY_HD void operator()(Team const& team, Extent row) const {
    auto const first = row * columns;
    Candidate<S> best{S(0), -1};
    for (auto c = team.rank(); c < columns; c += team.size())
      best = Best<S>{}(best, Candidate<S>{x[first + c], c});
    best = team.combined(best, Best<S>{});
    if constexpr (Gradient) {
      for (auto c = team.rank(); c < columns; c += team.size())
        to[first + c] = c == best.at ? other[row] : S(0);
    } else if (team.rank() == 0) {
      to[row] = other[first + best.at];
    }
  }
};

template <CompiledScalar S>
void max_per_row(S const* x, S const* d, Index rows, Index columns, S* y) {
  static_cast<void>(extent(rows * columns));
  for_each_row(rows, MaxRow<S, false>{x, d, y, static_cast<Extent>(columns)});
}
template <CompiledScalar S>
void max_per_row_gradient(S const* x, S const* g, Index rows, Index columns, S* dx) {
  static_cast<void>(extent(rows * columns));
  for_each_row(rows, MaxRow<S, true>{x, g, dx, static_cast<Extent>(columns)});
}

}  // namespace consistency::cuda
