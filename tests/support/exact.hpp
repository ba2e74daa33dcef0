// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <consistency/model/consistency_function.hpp>

namespace consistency::test {

/// g(x, t) element by element, where t holds one number per sample.
template <class S>
Tensor<S> mapped(Tensor<S> const& x, Tensor<S> const& t, auto const& g) {
  auto y = Tensor<S>{x.shape()};
  auto const per_sample = x.count() / x.shape()[0];
  for (Index i = 0; i < x.count(); ++i)
    y.mutable_data()[i] = static_cast<S>(
        g(static_cast<double>(x[i]), static_cast<double>(t[t.count() == 1 ? 0 : i / per_sample])));
  return y;
}

/// Independent data N(m, s²). Its probability-flow ODE dx/dt = t (x − m) / (s² + t²) keeps (x − m) / √(s² +
/// t²).
struct Gaussian {
  double m = 0.3;
  double s = 0.5;

  /// E[x₀ | x_t = x]
  double denoised(double x, double t) const { return (s * s * x + t * t * m) / (s * s + t * t); }
  /// The solution through x at time t, at time u; with u = ε the consistency function.
  double transported(double x, double t, double u) const {
    return m + (x - m) * std::sqrt((s * s + u * u) / (s * s + t * t));
  }
};

/// Data Σ wₖ N(mₖ, sₖ²) on the line, where the ODE keeps the order of points, hence their quantiles.
struct Mixture {
  std::vector<double> w, m, s;

  double denoised(double x, double t) const {
    double top = 0, total = 0;
    double largest = -1e300;
    for (std::size_t k = 0; k < w.size(); ++k) largest = std::fmax(largest, log_weight(k, x, t));
    for (std::size_t k = 0; k < w.size(); ++k) {
      auto const r = std::exp(log_weight(k, x, t) - largest);
      top += r * Gaussian{m[k], s[k]}.denoised(x, t);
      total += r;
    }
    return top / total;
  }

  /// P(x_t <= x) and P(x_t > x)
  double below(double x, double t) const { return tail(x, t, -1); }
  double above(double x, double t) const { return tail(x, t, 1); }

  double transported(double x, double t, double u) const {
    auto const low = below(x, t);
    auto const high = above(x, t);
    double left = -60, right = 60;
    for (int i = 0; i < 100; ++i) {
      auto const middle = (left + right) / 2;
      auto const less = low < high ? below(middle, u) < low : above(middle, u) > high;
      (less ? left : right) = middle;
    }
    return (left + right) / 2;
  }

  double mean() const {
    double total = 0;
    for (std::size_t k = 0; k < w.size(); ++k) total += w[k] * m[k];
    return total;
  }
  double deviation() const {
    double total = 0;
    for (std::size_t k = 0; k < w.size(); ++k)
      total += w[k] * (s[k] * s[k] + (m[k] - mean()) * (m[k] - mean()));
    return std::sqrt(total);
  }

 private:
  double log_weight(std::size_t k, double x, double t) const {
    auto const v = s[k] * s[k] + t * t;
    return std::log(w[k]) - 0.5 * std::log(v) - 0.5 * (x - m[k]) * (x - m[k]) / v;
  }
  double tail(double x, double t, double sign) const {
    double p = 0;
    for (std::size_t k = 0; k < w.size(); ++k)
      p += w[k] * 0.5 * std::erfc(sign * (x - m[k]) / std::sqrt(2 * (s[k] * s[k] + t * t)));
    return p;
  }
};

/// dx/dt = (x − D(x, t)) / t with the exact denoiser D of `data`.
template <class Data>
auto exact_velocity(Data data) {
  return [data = std::move(data)]<class S>(Tensor<S> const& x, Tensor<S> const& t) {
    return mapped(x, t, [&](double a, double b) { return (a - data.denoised(a, b)) / b; });
  };
}

/// A network without parameters that makes a ConsistencyFunction the exact one of Gaussian data. Near t = ε
/// the quotient (f* − c_skip x) / c_out is replaced by its limit.
struct GaussianNetwork {
  Gaussian data{};
  double sigma_data = 0.5, epsilon = 0.002;
  Shape shape{4};
  ParameterTable table{};

  ParameterTable const& parameters() const noexcept { return table; }
  Shape data_shape() const { return shape; }

  auto operator()(auto const&, Value auto const& x_scaled, Operand auto const& time, Mode const& = {}) const {
    auto const& noise = evaluated(time);
    return mapped(x_scaled, noise, [&](double scaled, double c_noise) {
      auto const t = std::exp(4 * c_noise);
      auto const x = scaled * std::hypot(t, sigma_data);
      auto const s2 = data.s * data.s;
      auto const gap = t - epsilon;
      if (gap < 1e-9)
        return -(x - data.m) * epsilon / (s2 + epsilon * epsilon) * std::hypot(epsilon, sigma_data) /
               sigma_data;
      auto const skip = sigma_data * sigma_data / (gap * gap + sigma_data * sigma_data);
      auto const out = sigma_data * gap / std::hypot(t, sigma_data);
      return (data.transported(x, t, epsilon) - skip * x) / out;
    });
  }
};

}  // namespace consistency::test
