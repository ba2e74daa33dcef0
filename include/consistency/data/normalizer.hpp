// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/tensor/tensor.hpp>

namespace consistency {

/// Brings each dimension of data, a number of the last axis, to a common scale: y = scale · x + offset. These
/// two lists are all there is to keep beside the weights of what was trained on y.
struct Normalizer {
  std::vector<double> scale, offset;  ///< one number for each dimension

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

  /// Throws config_error for lists of two lengths, a scale that is 0, or numbers that are not finite.
  void check() const {
    if (scale.size() != offset.size())
      fail<config_error>("Normalizer", "numbers of scale and offset",
                         number_text(scale.size()) + " and " + number_text(offset.size()), "as many of both");
    for (std::size_t i = 0; i < scale.size(); ++i)
      if (!(std::isfinite(scale[i]) && scale[i] != 0 && std::isfinite(offset[i])))
        fail<config_error>("Normalizer", "dimension " + number_text(i),
                           "scale " + number_text(scale[i]) + ", offset " + number_text(offset[i]),
                           "finite numbers, and a scale other than 0");
  }

  /// x (…, d) → y of the same shape. Throws as `check` does, and shape_error for another d.
  template <class S>
  Tensor<S> operator()(Tensor<S> const& x) const {
    return mapped(x, [this](double v, std::size_t i) { return scale[i] * v + offset[i]; });
  }
  /// y (…, d) → x of the same shape. Throws as the other way.
  template <class S>
  Tensor<S> inverse(Tensor<S> const& y) const {
    return mapped(y, [this](double v, std::size_t i) { return (v - offset[i]) / scale[i]; });
  }

 private:
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
  Tensor<S> mapped(Tensor<S> const& x, auto const& map) const {
    check();
    if (x.shape().rank() == 0 || x.shape().back() != dimensions())
      fail<shape_error>("Normalizer", "numbers of a vector", x.shape().text(),
                        number_text(dimensions()) + " along the last axis");
    auto const d = scale.size();
    Tensor<S> y{x.shape()};
    for (Index i = 0; i < x.count(); ++i)
      y.mutable_data()[i] = static_cast<S>(map(static_cast<double>(x[i]), static_cast<std::size_t>(i) % d));
    return y;
  }
};

}  // namespace consistency
