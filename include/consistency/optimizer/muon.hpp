// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include <consistency/optimizer/adamw.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// Muon (Jordan et al. 2024): the momentum of a matrix is replaced by the nearest matrix whose singular
/// values are all about 1, found by Newton and Schulz's iteration; kernels (k, k, c, o) count as (k² c, o).
/// What has one axis, and matrices of one row or column, are AdamW's, whose first moment is called momentum
/// here.
struct Muon {
  static constexpr auto state_names = std::array<std::string_view, 2>{"momentum", moment_names[1]};
  double learning_rate = 0.02;
  double momentum = 0.95;
  double decay = 0;  ///< λ of the matrices
  Index iterations = 5;
  RateSchedule schedule{};
  AdamW rest{.learning_rate = 3e-4};

  void check() const {
    require_positive("Muon", "learning_rate", learning_rate);
    require_rate("Muon", "momentum", momentum);
    require_setting(decay >= 0 && learning_rate * decay < 1, "Muon", "decay", decay,
                    "0 or more, below 1 / learning_rate");
    require_within("Muon", "iterations", iterations, 1, 100);
    schedule.check();
    rest.check();
  }
  template <class X>
  void update(Update<X>& u) const {
    constexpr auto own = std::array<std::size_t, 1>{0};
    constexpr auto moments = std::array<std::size_t, 2>{0, 1};
    for (auto const& entry : u.entries) {
      auto const one = std::span{&entry, 1};
      auto const columns = entry.shape.rank() >= 2 ? entry.shape.back() : 1;
      auto const rows = entry.shape.count() / columns;
      if (rows > 1 && columns > 1) {
        auto of = u.part(one, own);
        step(of, rows, columns);
      } else {
        auto of = u.part(one, moments);
        rest.update(of);
      }
    }
  }
  std::string text() const {
    return "Muon{" + number_text(learning_rate) + ", " + number_text(momentum) + ", " + number_text(decay) +
           ", " + number_text(iterations) + ", " + schedule.text() + ", " + rest.text() + "}";
  }

 private:
  template <class X>
  void step(Update<X>& u, Index rows, Index columns) const {
    auto const rate = learning_rate * schedule.factor(u.k);
    auto& b = u.state[0];
    b.assign(evaluated(momentum * b + u.scale * u.gradient));
    X const nesterov = u.scale * u.gradient + momentum * b;  // (p)
    auto const shape = std::sqrt(std::max(1.0, static_cast<double>(columns) / static_cast<double>(rows)));
    X const direction =
        reshape(orthogonalized(reshape(nesterov, {1, rows, columns})), u.theta.shape());  // (p)
    u.theta.assign(evaluated((1 - rate * decay) * u.theta - (rate * shape) * direction));
  }
  /// G (1, r, c) with singular values near 1: X ← a X + (b A + c A²) X for A = X Xᵀ, or X (b A + c A²) for A
  /// = Xᵀ X.
  template <class X>
  X orthogonalized(X const& G) const {
    constexpr auto a = 3.4445, b = -4.7750, c = 2.0315;
    auto const r = G.shape()[1], columns = G.shape()[2], n = std::min(r, columns);
    X x = G / (sqrt(sum_per_sample(square(G))) + 1e-7);  // (1, r, c)
    for (Index i = 0; i < iterations; ++i) {
      X const A = r <= columns
                      ? X(reshape(attention_scores(x, x, {}), {n, n}))
                      : X(reshape(attention_mix(reshape(x, {1, 1, r, columns}), x, {.transposed = true}),
                                  {n, n}));  // (n, n)
      X const B = b * A + c * linear(A, A);  // (n, n), symmetric
      x = r <= columns ? X(a * x + reshape(linear(B, reshape(x, {r, columns})), x.shape()))
                       : X(a * x + linear(x, B));  // (1, r, c)
    }
    return x;
  }
};
static_assert(Optimizer<Muon>);

}  // namespace consistency
