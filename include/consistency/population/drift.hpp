// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/population/distances.hpp>

namespace consistency {

struct DriftSettings {
  std::vector<double> temperatures = {0.02, 0.05, 0.2};  ///< R, in units of the mean distance

  void check() const {
    require_setting(!temperatures.empty(), "DriftSettings", "number of temperatures", 0, "1 or more");
    for (auto const R : temperatures) require_positive("DriftSettings", "temperature", R);
  }
};

/// Where samples are to move: by `force` (g, m, d) in units of `unit` (g, 1, 1), the mean distance over √d.
template <class X>
struct Drift {
  X force, unit;
};

/// The members of both populations, (g, m, d) and (g, n, d): (g, m + n, d).
auto joined(Value auto const& a, Value auto const& b) {
  auto const flat = [](auto const& x) { return reshape(x, {x.shape()[0], x.shape()[1] * x.shape()[2]}); };
  return reshape(concat(flat(a), flat(b)), {a.shape()[0], a.shape()[1] + b.shape()[1], a.shape()[2]});
}

/// The drift field (Deng et al. 2026, as their program has it): x (g, m, d)
/// is pulled to the population `positives` and pushed from `negatives`, x itself or more, (g, …, d) each. Of
/// each temperature the force has a mean square of 1, and it is 0 where the populations are one. A negative
/// or positive nearer than 10⁻¹⁰ is taken for the sample itself and left out.
template <class X>
Drift<X> drift(X const& x, X const& negatives, X const& positives, DriftSettings const& settings = {}) {
  auto const g = x.shape()[0], m = x.shape()[1], n = negatives.shape()[1];
  auto const count = static_cast<double>(m * x.shape()[2]);
  X const others = joined(negatives, positives);  // (g, n + p, d)
  auto const all = others.shape()[1];
  auto const length = [](X const& squares) { return sqrt(maximum(squares, 1e-8)); };
  X const squares = squared_distances(x, others);  // (g, m, n + p)
  X const s = sum_to(length(squares), {g, 1, 1}) * (1 / static_cast<double>(m * all));
  X const unit = s * (1 / std::sqrt(static_cast<double>(x.shape()[2])));
  auto const scaled = [&](X const& of) {  // and far from itself
    return X(length(of) / s + 100.0 * relu(1.0 - 1e20 * of));
  };
  X const d = scaled(squares);                                                               // (g, m, n + p)
  X const backwards = -1.0 * scaled(squared_distances(others, x));                           // (g, n + p, m)
  X const nearest = reshape(max_per_sample(reshape(backwards, {g * all, m})), {g, 1, all});  // −min_i d_ij
  X force(x.shape(), typename X::Scalar(0));
  for (auto const R : settings.temperatures) {
    X const rows = softmax(d * (-1 / R));  // over all that a sample sees
    X const weights = exp((d + nearest) * (-1 / R));
    X const columns = weights / sum_to(weights, {g, 1, all});  // over all samples that see it
    X const A = sqrt(maximum(rows * columns, 1e-6));           // (g, m, n + p)
    X const away = slice(A, 0, n), towards = slice(A, n, all);
    auto const mixed = [&](X const& weight, X const& of) {  // Σ_j weight_ij of_j
      return attention_mix(reshape(weight, {g, 1, m, weight.shape()[2]}), of);
    };
    X const V = (sum_to(away, {g, m, 1}) * mixed(towards, positives) -
                 sum_to(towards, {g, m, 1}) * mixed(away, negatives)) /
                unit;  // (g, m, d)
    X const mean_square = sum_to(square(V), {g, 1, 1}) * (1 / count);
    force = force + V / sqrt(maximum(mean_square, 1e-8));
  }
  return {force, unit};
}

}  // namespace consistency
