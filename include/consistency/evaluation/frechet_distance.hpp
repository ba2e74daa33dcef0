// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <Eigen/Core>

#include <consistency/evaluation/nuclear_norm.hpp>
#include <consistency/evaluation/sample_set.hpp>

namespace consistency {

namespace detail {

/// The mean (d) of features (n, …), and Σ (x − mean) (x − mean)ᵀ, (d, d).
template <class S>
std::pair<Eigen::VectorXd, Eigen::MatrixXd> mean_and_scatter(Tensor<S> const& features,
                                                             SampleSet const& set) {
  using Rows = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::MatrixXd x =
      Eigen::Map<Rows const>(features.data(), set.count, set.dimensions).template cast<double>();
  Eigen::VectorXd const mean = x.colwise().mean();
  x.rowwise() -= mean.transpose();
  return {mean, product<Eigen::MatrixXd>(x.transpose(), x)};
}

}  // namespace detail

/// The Gaussian that has a set's mean (d) and covariance (d, d).
struct Gaussian {
  using Matrix = Eigen::MatrixXd;
  Eigen::VectorXd mean;
  Matrix covariance;

  /// Of features (n, …), with n − 1 in the denominator. Throws dataset_error for fewer than two or a number
  /// that is not finite.
  template <class S>
  static Gaussian of(Tensor<S> const& features) {
    auto const set = SampleSet::of(features, "Gaussian");
    auto [mean, covariance] = detail::mean_and_scatter(features, set);
    covariance /= static_cast<double>(set.count - 1);
    return {std::move(mean), std::move(covariance)};
  }

  /// Of a mean (d) and a covariance (d, d), as statistics files keep them. Throws shape_error.
  static Gaussian of(Tensor<double> const& mean, Tensor<double> const& covariance) {
    auto const d = mean.count();
    if (covariance.shape() != Shape{d, d})
      fail<shape_error>("Gaussian", "covariance", covariance.shape().text(), Shape{d, d}.text());
    return {Eigen::Map<Eigen::VectorXd const>(mean.data(), d),
            Eigen::Map<Matrix const>(covariance.data(), d, d)};
  }
  Tensor<double> mean_tensor() const {
    return {Shape{mean.size()}, std::span{mean.data(), std::size_t(mean.size())}};
  }
  Tensor<double> covariance_tensor() const {
    return {Shape{covariance.rows(), covariance.cols()},
            std::span{covariance.data(), std::size_t(covariance.size())}};
  }
};

/// |m₁ − m₂|² + Tr(S₁ + S₂ − 2 (S₁ S₂)^½) (Fréchet 1957; Heusel et al. 2017, Eq. 6). With S = R Rᵀ the last
/// trace is the sum of the singular values of R₁ᵀ R₂, for any such R: no root is taken of rounding errors,
/// and covariances without full rank are as good as others. Throws shape_error for Gaussians of different
/// dimension and numeric_error where a covariance is none, a decomposition fails or the distance is not
/// finite.
template <std::same_as<Gaussian> G = Gaussian>
double frechet_distance(std::type_identity_t<G> const& a, std::type_identity_t<G> const& b) {
  using Matrix = typename G::Matrix;
  auto const where = "frechet_distance";
  auto const d = a.mean.size();
  auto const require = [&](char const* what, Index found) {
    if (found != d) fail<shape_error>(where, what, number_text(found), number_text(d) + ", as in the first");
  };
  require("dimensions of the second set", b.mean.size());
  for (auto const* g : {&a, &b}) {
    require("rows of a covariance", g->covariance.rows());
    require("columns of a covariance", g->covariance.cols());
    require_finite(g->covariance.squaredNorm() + g->mean.squaredNorm(), where);
  }
  auto const r = detail::covariance_root<Matrix>(a.covariance, where, "covariance of the first set");
  auto const s = detail::covariance_root<Matrix>(b.covariance, where, "covariance of the second set");
  auto const overlap = detail::nuclear_norm<Matrix>(detail::product<Matrix>(r.transpose(), s), where);
  auto const distance =
      (a.mean - b.mean).squaredNorm() + a.covariance.trace() + b.covariance.trace() - 2 * overlap;
  return std::max(0.0, require_finite(distance, where));
}

/// Of the Gaussians of two sets of features (n, d) and (m, d). Throws as these do.
template <class S>
double frechet_distance(Tensor<S> const& x, Tensor<S> const& y) {
  return frechet_distance(Gaussian::of(x), Gaussian::of(y));
}

}  // namespace consistency
