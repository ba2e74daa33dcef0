// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <span>

#include <consistency/tensor/tensor.hpp>

namespace consistency::test {

/// The same shape and the same bits.
template <class S>
bool same_bits(Tensor<S> const& a, Tensor<S> const& b) {
  return a.shape() == b.shape() &&
         (a.count() == 0 ||
          std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.count()) * sizeof(S)) == 0);
}

/// The same shape and equal numbers: a zero equals a zero of the other sign, nothing equals NaN.
template <class S>
bool same_numbers(Tensor<S> const& a, Tensor<S> const& b) {
  if (a.shape() != b.shape()) return false;
  for (Index i = 0; i < a.count(); ++i)
    if (!(a[i] == b[i])) return false;
  return true;
}

/// max |a − b|; infinity where shapes differ or a number is NaN.
template <class S>
double distance(Tensor<S> const& a, Tensor<S> const& b) {
  if (a.shape() != b.shape()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (Index i = 0; i < a.count(); ++i) {
    auto const d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(d <= largest)) largest = std::isnan(d) ? std::numeric_limits<double>::infinity() : d;
  }
  return largest;
}

/// max |a|
template <class S>
double magnitude(Tensor<S> const& a) {
  return distance(a, Tensor<S>(a.shape(), S(0)));
}

/// |a − b| / max(|a|, |b|)
inline double relative_error(double a, double b) {
  auto const scale = std::max(std::abs(a), std::abs(b));
  return scale == 0 ? 0 : std::abs(a - b) / scale;
}

/// <a, b>
template <class S>
double dot(Tensor<S> const& a, Tensor<S> const& b) {
  double total = 0;
  for (Index i = 0; i < a.count(); ++i) total += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return total;
}

template <class S>
Tensor<S> tensor(Shape shape, std::initializer_list<S> values) {
  return Tensor<S>(shape, std::span<S const>(values.begin(), values.size()));
}

/// One number per sample, each the same time.
template <class S>
Tensor<S> times(Index n, double t) {
  return Tensor<S>(Shape{n, 1}, static_cast<S>(t));
}

}  // namespace consistency::test
