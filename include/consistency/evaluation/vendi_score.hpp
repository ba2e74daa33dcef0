// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>

#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <consistency/evaluation/sample_set.hpp>

namespace consistency {

/// How many different samples there are: exp of the entropy of the eigenvalues of their cosines / n (Friedman
/// & Dieng 2023), from 1 to min(n, d); it needs no reference. Of features (n, d). Throws as SampleSet::of,
/// and dataset_error for a sample of zeros, which has no direction.
template <class S>
double vendi_score(Tensor<S> const& features) {
  auto const where = "vendi_score";
  auto const set = SampleSet::of(features, where);
  using Rows = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::MatrixXd x =
      Eigen::Map<Rows const>(features.data(), set.count, set.dimensions).template cast<double>();
  for (Index i = 0; i < set.count; ++i) {
    auto const length = x.row(i).norm();
    if (!(length > 0)) fail<dataset_error>(where, "sample " + number_text(i), "zeros alone", "a direction");
    x.row(i) /= length;
  }
  // Both products have the same eigenvalues but for zeros.
  Eigen::MatrixXd const cosines =
      (set.count < set.dimensions ? Eigen::MatrixXd{x * x.transpose()} : Eigen::MatrixXd{x.transpose() * x}) /
      static_cast<double>(set.count);
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> const eigen{cosines, Eigen::EigenvaluesOnly};
  double entropy = 0;
  for (auto const value : eigen.eigenvalues())
    if (value > 0) entropy -= value * std::log(value);
  return std::exp(require_finite(entropy, where));
}

}  // namespace consistency
