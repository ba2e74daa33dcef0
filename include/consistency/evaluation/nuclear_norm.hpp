// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>

#include <consistency/core/parallel.hpp>
#include <consistency/evaluation/sample_set.hpp>

namespace consistency::detail {

// Templates, because compiling Eigen's decompositions takes half a minute: a program that calls them pays for
// them, one that includes them does not.

/// A · B, columns cut by their number alone among the threads.
template <class Matrix>
Matrix product(auto const& a, auto const& b) {
  // In a program with OpenMP Eigen would give each of these threads a team of its own, whose size changes
  // bits; never where it knows that no result has more than 32 rows.
  constexpr Index most = 32;
  using Columns =
      Eigen::Matrix<typename Matrix::Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor, most>;
  Matrix c{a.rows(), b.cols()};
  parallel_ranges(b.cols(), most, [&](Index begin, Index end) {
    auto const count = end - begin;
    Eigen::Map<Columns>{c.col(begin).data(), count, c.rows()}.noalias() =
        b.middleCols(begin, count).transpose() * a.transpose();
  });
  return c;
}

/// R (d, r) with S = R Rᵀ for a covariance S (d, d) of rank r, of which the lower triangle is read:
/// Cholesky's factor, the largest variance left first (Higham 1990). Variances below d · 2.2e-16 of the
/// largest are left out as rounding errors, and so are those of the size of variances that have become
/// negative: an S that was once rounded to float32 is one. Throws numeric_error where more than a millionth
/// of the largest variance is left out: then S is no covariance.
template <class Matrix>
Matrix covariance_root(Matrix const& S, char const* where, char const* what) {
  constexpr Index panel = 64;
  auto const d = S.rows();
  Matrix rest = S, R{d, d};
  Eigen::VectorXd variance = S.diagonal(), column{d};
  auto const largest = d == 0 ? 0 : variance.maxCoeff();
  auto rounding = static_cast<double>(d) * std::numeric_limits<double>::epsilon() * largest;
  Index rank = 0;
  for (auto more = largest > 0; more;) {
    auto const first = rank;
    while (more && rank < std::min(d, first + panel)) {
      Index pivot = 0;
      auto const chosen = variance.maxCoeff(&pivot);
      more = chosen > rounding;
      if (!more) break;
      column.head(pivot) = rest.row(pivot).head(pivot);
      column.tail(d - pivot) = rest.col(pivot).tail(d - pivot);
      column.noalias() -=
          R.middleCols(first, rank - first) * R.row(pivot).segment(first, rank - first).transpose();
      column /= std::sqrt(chosen);
      variance -= column.cwiseAbs2();
      variance[pivot] = 0;
      auto const below = -variance.minCoeff();
      more = below <= chosen;
      if (!more) break;
      rounding = std::max(rounding, 8 * below);
      R.col(rank++) = column;
    }
    if (rank > first)
      rest.template selfadjointView<Eigen::Lower>().rankUpdate(R.middleCols(first, rank - first), -1);
    more = more && rank < d;
  }
  auto const left =
      d == 0 ? 0 : rest.template triangularView<Eigen::Lower>().toDenseMatrix().cwiseAbs().maxCoeff();
  if (!(left <= 1e-6 * largest))
    fail<numeric_error>(where, what, "a matrix that differs from R R^T by " + number_text(left),
                        "a covariance, symmetric with no negative eigenvalue",
                        "Covariances of features come from Gaussian::of.");
  return R.leftCols(rank);
}

/// Σ σ_i(M), by the eigenvalues ±σ of the tridiagonal matrix that M's bidiagonal form makes (Golub & Kahan
/// 1965): no square is taken, so that small σ keep the error of large ones. Throws numeric_error where Σ σ²
/// is not |M|².
template <class Matrix>
double nuclear_norm(Matrix const& M, char const* where) {
  if (M.rows() < M.cols()) return nuclear_norm<Matrix>(M.transpose(), where);
  auto const n = M.cols();
  if (n == 0) return 0;
  auto bidiagonal = Eigen::internal::UpperBidiagonalization<Matrix>{M}.bidiagonal();
  Eigen::VectorXd beside{2 * n - 1};
  for (Index i = 0; i < n; ++i) beside[2 * i] = bidiagonal.template diagonal<0>()[i];
  for (Index i = 0; i + 1 < n; ++i) beside[2 * i + 1] = bidiagonal.template diagonal<1>()[i];
  Eigen::SelfAdjointEigenSolver<Matrix> eigen;
  eigen.computeFromTridiagonal(Eigen::VectorXd::Zero(2 * n), beside, Eigen::EigenvaluesOnly);
  auto const sigma = eigen.eigenvalues().tail(n).cwiseMax(0);
  auto const squares = M.squaredNorm();
  auto const allowed = 16 * static_cast<double>(n + 8) * std::numeric_limits<double>::epsilon() * squares;
  if (!(std::abs(sigma.squaredNorm() - squares) <= allowed))
    fail<numeric_error>(where, "sum of squared singular values", number_text(sigma.squaredNorm()),
                        number_text(squares) + ", the matrix's own",
                        "The decomposition failed: please report the two Gaussians.");
  return sigma.sum();
}

}  // namespace consistency::detail
