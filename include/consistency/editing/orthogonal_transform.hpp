// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/tensor/cpu.hpp>

namespace consistency {

/// The A of Algorithm 4 that changes nothing: parts of x are known as they are.
struct IdentityTransform {
  template <class X>
  X forward(X const& x) const {
    return x;
  }
  template <class X>
  X inverse(X const& x) const {
    return x;
  }
};

/// An orthogonal A: every p×p pixels of an image (n, h, w, c), or every vector (n, d) where p is 1, as
/// coordinates v Q, with k = p p c numbers v, the channels of a pixel side by side.
class OrthogonalTransform {
 public:
  /// Q (k, k), row by row. Throws config_error unless Qᵀ Q is the identity to 1e-9.
  OrthogonalTransform(Index patch, Index size, std::vector<double> Q)
      : patch_{patch}, size_{size}, Q_{std::move(Q)} {
    if (patch < 1 || size < 1 || static_cast<Index>(Q_.size()) != size * size)
      fail<config_error>("OrthogonalTransform", "numbers of Q", number_text(Q_.size()),
                         number_text(size) + " × " + number_text(size) + ", and a patch of 1 or more");
    for (Index i = 0; i < size; ++i)
      for (Index j = 0; j < size; ++j) {
        double product = 0;
        for (Index k = 0; k < size; ++k) product += at(k, i) * at(k, j);
        if (!(std::abs(product - (i == j ? 1 : 0)) <= 1e-9))
          fail<config_error>("OrthogonalTransform",
                             "product of columns " + number_text(i) + " and " + number_text(j),
                             number_text(product), i == j ? "1" : "0",
                             "Algorithm 4 needs A to be orthogonal; first_along() makes such a Q.");
      }
  }

  Index patch() const noexcept { return patch_; }
  Index size() const noexcept { return size_; }

  /// (n, h, w, c) → (n, h / p, w / p, k)
  template <class X>
  X forward(X const& x) const {
    require(patch_ == 1 ? x.shape().back() : patch_ * patch_ * x.shape().back());
    return patch_ == 1 ? X{linear(x, matrix<X>(false))}
                       : X{linear(space_to_depth(x, patch_), matrix<X>(false))};
  }
  /// Aᵀ = A⁻¹
  template <class X>
  X inverse(X const& y) const {
    require(y.shape().back());
    X const x = linear(y, matrix<X>(true));
    return patch_ == 1 ? x : X{depth_to_space(x, patch_)};
  }

 private:
  double at(Index i, Index j) const { return Q_[static_cast<std::size_t>(i * size_ + j)]; }
  void require(Index k) const {
    if (k != size_)
      fail<shape_error>("OrthogonalTransform", "numbers of a patch", number_text(k),
                        number_text(size_) + ", as Q has rows");
  }
  template <class X>
  X matrix(bool transposed) const {
    using S = typename X::Scalar;
    Tensor<S> m{{size_, size_}};  // (k, k)
    for (Index i = 0; i < size_; ++i)
      for (Index j = 0; j < size_; ++j)
        m.mutable_data()[i * size_ + j] = static_cast<S>(transposed ? at(j, i) : at(i, j));
    return to<typename X::Backend>(m);
  }

  Index patch_, size_;
  std::vector<double> Q_;  // (k, k)
};

/// An orthogonal Q whose first column lies along `u`: Householder's reflection.
inline std::vector<double> first_along(std::span<double const> u) {
  auto const d = u.size();
  double norm = 0;
  for (auto const v : u) norm += v * v;
  norm = std::sqrt(norm);
  std::vector<double> v(d), Q(d * d);
  double squares = 0;
  for (std::size_t i = 0; i < d; ++i) {
    v[i] = (i == 0 ? 1 : 0) - u[i] / norm;
    squares += v[i] * v[i];
  }
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t j = 0; j < d; ++j)
      Q[i * d + j] = (i == j ? 1 : 0) - (squares > 0 ? 2 * v[i] * v[j] / squares : 0);
  return Q;
}

}  // namespace consistency
