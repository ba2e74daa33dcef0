#pragma once

#include <algorithm>
#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>

#include <consistency/evaluation/sample_set.hpp>

namespace consistency {

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
    using Rows = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    Eigen::MatrixXd x =
        Eigen::Map<Rows const>(features.data(), set.count, set.dimensions).template cast<double>();
    Eigen::VectorXd const mean = x.colwise().mean();
    x.rowwise() -= mean.transpose();
    Eigen::MatrixXd covariance = x.transpose() * x / static_cast<double>(set.count - 1);
    return {mean, std::move(covariance)};
  }
};

/// |m₁ − m₂|² + Tr(S₁ + S₂ − 2 (S₁ S₂)^½) (Fréchet 1957; Heusel et al. 2017, Eq. 6). With S = R Rᵀ the last
/// trace is the sum of the singular values of R₁ᵀ R₂: no root is taken of rounding errors, and covariances
/// without full rank are as good as others. Throws shape_error for Gaussians of different dimension
/// and numeric_error where the distance is not finite. A template, because compiling Eigen's decompositions
/// takes half a minute: a program that calls it pays for them, one that includes it does not.
template <std::same_as<Gaussian> G = Gaussian>
double frechet_distance(std::type_identity_t<G> const& a, std::type_identity_t<G> const& b) {
  using Matrix = typename G::Matrix;
  if (a.mean.size() != b.mean.size())
    throw shape_error{{.where = "frechet_distance",
                       .what = "dimensions of the second set",
                       .found = number_text(b.mean.size()),
                       .expected = number_text(a.mean.size()) + ", as in the first",
                       .advice = ""}};
  auto const root = [](Matrix const& S) -> Matrix {
    auto const eigen = Eigen::SelfAdjointEigenSolver<Matrix>{S};
    return eigen.eigenvectors() * eigen.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal();
  };
  Matrix const product = root(a.covariance).transpose() * root(b.covariance);
  auto const overlap = Eigen::BDCSVD<Matrix>{product}.singularValues().sum();
  auto const distance =
      (a.mean - b.mean).squaredNorm() + a.covariance.trace() + b.covariance.trace() - 2 * overlap;
  return std::max(0.0, require_finite(distance, "frechet_distance"));
}

/// Of the Gaussians of two sets of features (n, d) and (m, d). Throws as these do.
template <class S>
double frechet_distance(Tensor<S> const& x, Tensor<S> const& y) {
  return frechet_distance(Gaussian::of(x), Gaussian::of(y));
}

}  // namespace consistency
