// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/tensor/tensor.hpp>

namespace consistency {

/// Brings each dimension of data, a number of the last axis, to a common scale: y = scale · x + offset. These
/// two lists are all there is to keep beside the weights of what was trained on y. Without numbers y = x.
struct Normalizer {
  std::vector<double> scale{}, offset{};  ///< one number for each dimension

  /// A dimension that varies by less is moved to the middle, and not stretched.
  static constexpr double least_range = 1e-4;

  /// Takes the smallest and largest number of each dimension of data (…, d) to `low` and `high` (Chi et al.
  /// 2023). Throws dataset_error, naming the dimension, for data that are none or not finite.
  static Normalizer limits(Tensor<float> const& data, double low = -1, double high = 1) {
    return of_columns(data, [&](std::vector<double> const& column, double& scale, double& offset) {
      auto const [least, most] = std::minmax_element(column.begin(), column.end());
      auto const range = *most - *least;
      scale = range < least_range ? 1 : (high - low) / range;
      offset = (low + high) / 2 - scale * (*least + *most) / 2;
    });
  }
  /// Takes each dimension of data (…, d) to mean 0 and standard deviation 1. Throws as `limits` does.
  static Normalizer standard(Tensor<float> const& data) {
    return of_columns(data, [&](std::vector<double> const& column, double& scale, double& offset) {
      auto const n = static_cast<double>(column.size());
      double mean = 0, variance = 0;
      for (auto const x : column) mean += x / n;
      for (auto const x : column) variance += (x - mean) * (x - mean) / n;
      scale = std::sqrt(variance) < least_range ? 1 : 1 / std::sqrt(variance);
      offset = -scale * mean;
    });
  }

  Index dimensions() const { return static_cast<Index>(scale.size()); }

  bool none() const noexcept { return scale.empty() && offset.empty(); }

  /// Throws config_error unless there are none, or a finite scale other than 0 and a finite offset for each
  /// of d dimensions.
  void check(char const* where, Index d) const {
    if (none()) return;
    auto const count = static_cast<std::size_t>(d);
    if (scale.size() != count || offset.size() != count)
      fail<config_error>(where, "numbers of scale and offset of a Normalizer",
                         number_text(scale.size()) + " and " + number_text(offset.size()),
                         number_text(d) + " each, or none");
    for (std::size_t i = 0; i < count; ++i)
      if (!(std::isfinite(scale[i]) && scale[i] != 0 && std::isfinite(offset[i])))
        fail<config_error>(where, "dimension " + number_text(i) + " of a Normalizer",
                           "scale " + number_text(scale[i]) + ", offset " + number_text(offset[i]),
                           "finite numbers, and a scale other than 0");
  }

  /// x (…, d) → y of the same shape. Throws as `check` does.
  template <class S>
  Tensor<S> operator()(Tensor<S> const& x) const {
    return mapped(x, [this](std::span<S> rows) { normalize(rows); });
  }
  /// y (…, d) → x of the same shape. Throws as the other way.
  template <class S>
  Tensor<S> inverse(Tensor<S> const& y) const {
    return mapped(y, [this](std::span<S> rows) { restore(rows); });
  }
  /// The same in place, of rows of d numbers.
  template <class S>
  void normalize(std::span<S> rows) const noexcept {
    map(rows, [this](double x, std::size_t i) { return scale[i] * x + offset[i]; });
  }
  template <class S>
  void restore(std::span<S> rows) const noexcept {
    map(rows, [this](double y, std::size_t i) { return (y - offset[i]) / scale[i]; });
  }

  friend bool operator==(Normalizer const&, Normalizer const&) = default;

 private:
  template <class S>
  void map(std::span<S> rows, auto const& of_number) const noexcept {
    if (none()) return;
    for (std::size_t i = 0; i < rows.size(); ++i)
      rows[i] = static_cast<S>(of_number(static_cast<double>(rows[i]), i % scale.size()));
  }
  static Normalizer of_columns(Tensor<float> const& data, auto const& measure) {
    if (!data.defined() || data.count() == 0)
      fail<dataset_error>("Normalizer", "data", "none", "one vector or more");
    auto const d = data.shape().back(), rows = data.count() / d;
    Normalizer result{std::vector<double>(static_cast<std::size_t>(d)),
                      std::vector<double>(static_cast<std::size_t>(d))};
    std::vector<double> column(static_cast<std::size_t>(rows));
    for (Index i = 0; i < d; ++i) {
      for (Index row = 0; row < rows; ++row) {
        auto const number = data[row * d + i];
        if (!std::isfinite(number))
          fail<dataset_error>("Normalizer", "dimension " + number_text(i) + " of vector " + number_text(row),
                              number_text(number), "a finite number");
        column[static_cast<std::size_t>(row)] = number;
      }
      auto const at = static_cast<std::size_t>(i);
      measure(column, result.scale[at], result.offset[at]);
    }
    return result;
  }

  template <class S>
  Tensor<S> mapped(Tensor<S> const& x, auto const& in_place) const {
    check("Normalizer", x.shape().rank() == 0 ? 0 : x.shape().back());
    auto y = x.clone();
    in_place(std::span<S>{y.mutable_data(), static_cast<std::size_t>(y.count())});
    return y;
  }
};

}  // namespace consistency
