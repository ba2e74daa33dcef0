// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/process/linear_path.hpp>
#include <consistency/process/trigonometric.hpp>
#include <consistency/process/variance_exploding.hpp>
#include <consistency/solver/velocity.hpp>

#include "support.hpp"

// Flows that are known in closed form, of all three processes. With x_t = α (x₀ + σ z) they are the flow
// under noise x₀ + σ z in x_t / α and σ; the numbers were computed by the formulas of each process, to 16
// digits.
namespace consistency::test {

/// The exact denoiser of data on a process.
template <class Data, class Process>
struct Exact {
  Data data;
  Process own;

  Process process() const { return own; }
  T operator()(auto const&, T const& x, T const& t) const { return (*this)(x, t); }
  T operator()(T const& x, T const& t) const {
    return mapped(x, t, [&](double a, double time) {
      auto const scale = own.scale(time);
      return scale == 0 ? data.mean() : data.denoised(a / scale, own.sigma(time));
    });
  }
  /// X_{t→r}(x); of noise alone, from a time as near to its own as numbers are.
  double transported(double x, double t, double r) const {
    if (own.scale(t) == 0) t -= 1e-14;
    auto const from = own.scale(t), to = own.scale(r);
    return to * data.transported(x / from, own.sigma(t), own.sigma(r));
  }
  double velocity(double x, double t) const {
    T const at{Shape{1, 1}, x}, when{Shape{1, 1}, t};
    T const v = own.velocity(at, (*this)(at, when), when);
    return v[0];
  }
  /// Solver's path from t to r in n even steps.
  template <class Solver>
  double solved(Solver solver, double x, double t, double r, Index n) const {
    auto const velocity_of = DenoiserVelocity{own, *this};
    T at{Shape{1, 1}, x};
    for (Index i = 0; i < n; ++i) {
      auto const time = [&](Index j) {
        return T(Shape{1, 1}, t + (r - t) * static_cast<double>(j) / static_cast<double>(n));
      };
      at = solver.step(velocity_of, at, time(i), time(i + 1));
    }
    return at[0];
  }
};

struct GaussianData : Gaussian {
  double mean() const { return m; }
};

auto const bell = GaussianData{{.m = .3, .s = .5}};
auto const two = Mixture{.w = {.3, .7}, .m = {-1, 1}, .s = {.2, .2}};

}  // namespace consistency::test
