// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>

#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// The Fréchet distance from populations to data of a mean m_r (d) and a covariance Σ_r (d, d), |m − m_r|² +
/// tr(Σ + Σ_r − 2 (Σ_r^½ Σ Σ_r^½)^½) (Heusel et al. 2017, Eq. 6), and its slope by a population's moments. A
/// template, because compiling a decomposition takes seconds.
template <std::same_as<double> S = double>
class FrechetSlope {
  using T = Tensor<S>;

 public:
  /// Throws shape_error where these do not belong together, and numeric_error for numbers that are not finite
  /// or a covariance with an eigenvalue below 0.
  FrechetSlope(T const& mean, T const& covariance) {
    auto const d = mean.count();
    if (d == 0 || mean.shape() != Shape{d} || covariance.shape() != Shape{d, d})
      fail<shape_error>("FrechetSlope", "mean and covariance of the data",
                        mean.shape().text() + " and " + covariance.shape().text(), "(d) and (d, d)");
    auto const [values, vectors] = decomposed(covariance);
    auto const least = values[0], most = values[d - 1];
    if (!(std::isfinite(largest<pointwise::Abs>(mean)) && least >= -1e-6 * most))
      fail<numeric_error>("FrechetSlope", "covariance of the data",
                          "a smallest eigenvalue of " + number_text(least), "0 or more, and finite numbers",
                          "Take mean and covariance from Gaussian::of.");
    mean_ = reshape(mean, {1, d});
    root_ = composed(sqrt(relu(values)), vectors);
    square_ = covariance + reshape(mean, {d, 1}) * mean;
    trace_ = evaluated(sum(values))[0];
  }

  Index dimensions() const { return mean_.count(); }
  T const& mean() const { return mean_; }      ///< E φ of the data, (1, d)
  T const& square() const { return square_; }  ///< E φ φᵀ, (d, d)

  struct Point {
    S distance;
    T by_mean, by_square;  // (1, d), (d, d)
  };
  /// At a population's moments E φ (1, d) and E φ φᵀ (d, d). Where it has no spread there is no slope.
  Point at(T const& mean, T const& square) const {
    auto const d = dimensions();
    T const covariance = square - reshape(mean, {d, 1}) * mean;                           // (d, d)
    auto const [values, vectors] = decomposed(linear(linear(root_, covariance), root_));  // of Σ_r^½ Σ Σ_r^½
    T const roots = sqrt(relu(values));                                                   // (d, 1)
    T inverse{roots.shape()};
    T identity({d, d}, S(0));
    S trace = trace_;
    for (Index i = 0; i < d; ++i) {
      inverse.mutable_data()[i] = roots[i] > 1e-7 * roots[d - 1] ? 1 / roots[i] : 0;
      identity.mutable_data()[i * d + i] = 1;
      trace += covariance[i * d + i] - 2 * roots[i];
    }
    T const apart = mean - mean_;                                                         // (1, d)
    T const slope = identity - linear(linear(root_, composed(inverse, vectors)), root_);  // by Σ
    return {evaluated(sum(consistency::square(apart)))[0] + trace, T(2.0 * (apart - linear(mean, slope))),
            slope};
  }

 private:
  struct Decomposition {
    T values, vectors;  // (d, 1) from the least on, (d, d) by rows
  };
  static Decomposition decomposed(T const& symmetric) {
    using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>;
    auto const d = symmetric.shape()[0];
    auto const eigen =
        Eigen::SelfAdjointEigenSolver<Matrix>{Eigen::Map<Matrix const>(symmetric.data(), d, d)};
    Decomposition found{T{Shape{d, 1}}, T{Shape{d, d}}};
    std::copy_n(eigen.eigenvalues().data(), d, found.values.mutable_data());
    std::copy_n(eigen.eigenvectors().data(), d * d, found.vectors.mutable_data());
    return found;
  }
  /// Σ value · vector vectorᵀ
  static T composed(T const& values, T const& vectors) {
    auto const d = vectors.shape()[0];
    T const scaled = values * vectors;
    return reshape(
        attention_mix(reshape(scaled, {1, 1, d, d}), reshape(vectors, {1, d, d}), {.transposed = true}),
        {d, d});
  }

  T mean_, square_, root_;  // (1, d), (d, d), (d, d): Σ_r^½
  S trace_ = 0;             // of Σ_r
};

}  // namespace consistency
