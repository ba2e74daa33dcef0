// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <vector>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/layer/linear.hpp>
#include <consistency/process/variance_exploding.hpp>
#include <consistency/schedule/karras.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/exact.hpp"

// Expectations are sums over quadrature nodes, so that no draw blurs what the theorems say.
namespace consistency::test {

using T = Tensor<double>;

/// F(x, u) = Σⱼ aⱼ tanh(bⱼ x + cⱼ u + dⱼ) on the line, u the time condition.
class TanhNetwork {
 public:
  static constexpr Index units = 4;

  ParameterTable const& parameters() const noexcept { return table_; }
  Shape data_shape() const { return {1}; }
  auto operator()(auto const& theta, Value auto const& x, Operand auto const& time, Mode const& = {}) const {
    return out_(theta, tanh(hidden_(theta, concat(x, time))));
  }

 private:
  ParameterTable table_;
  Linear hidden_{table_, "hidden", 2, units}, out_{table_, "out", units, 1};
};

using Student = ConsistencyFunction<TanhNetwork>;

/// Parameters whose numbers are all of the order of one.
inline Parameters<T> parameters_near_one(std::uint64_t seed, double step_away = 0) {
  auto theta = Parameters<T>{Student{TanhNetwork{}}.network().parameters()};
  auto const move = [&](std::uint64_t from, double size) {
    for (ParameterId id = 0; id < theta.table().entries().size(); ++id) {
      auto const draws = uniform<double>({1, theta[id].count()}, {from}, {0, static_cast<std::uint32_t>(id)});
      auto view = theta[id];
      for (Index i = 0; i < draws.count(); ++i) view.mutable_data()[i] += size * (2 * draws[i] - 1);
    }
  };
  move(seed, 1);
  move(seed + 1, step_away);
  return theta;
}

/// The same f_θ(x, t) in plain complex arithmetic, written out from the paper's Eq. 5 and Appendix C.
inline std::complex<double> independent_student(Parameters<T> const& theta, std::complex<double> x,
                                                std::complex<double> t) {
  constexpr auto epsilon = 0.002, sigma_data = 0.5;
  auto const skip = sigma_data * sigma_data / ((t - epsilon) * (t - epsilon) + sigma_data * sigma_data);
  auto const root = std::sqrt(t * t + sigma_data * sigma_data);
  auto const u = 0.25 * std::log(t);
  constexpr auto J = TanhNetwork::units;
  std::complex<double> F = theta[3][0];
  for (Index j = 0; j < J; ++j)
    F += theta[2][j] * std::tanh(theta[0][j] * x / root + theta[0][J + j] * u + theta[1][j]);
  return skip * x + sigma_data * (t - epsilon) / root * F;
}

/// The trapezoidal rule for expectations under N(0, 1): exact to rounding for smooth functions.
struct NormalQuadrature {
  std::vector<double> nodes, weights;

  explicit NormalQuadrature(int count = 41) {
    double total = 0;
    for (int i = 0; i < count; ++i) {
      nodes.push_back(-8 + 16.0 * i / (count - 1));
      weights.push_back(std::exp(-nodes.back() * nodes.back() / 2));
      total += weights.back();
    }
    for (auto& w : weights) w /= total;
  }
};

/// Weighted samples (x₀, z, t, r): what a method's expectation sums over.
struct Samples {
  std::vector<double> x0, z, t, r, weight;

  void add(double data, double noise, double later, double sooner, double w) {
    x0.push_back(data), z.push_back(noise), t.push_back(later), r.push_back(sooner), weight.push_back(w);
  }
  Index count() const { return static_cast<Index>(x0.size()); }
  static T column(std::vector<double> const& numbers, std::size_t begin, std::size_t end) {
    auto c = T{Shape{static_cast<Index>(end - begin), 1}};
    std::copy(numbers.data() + begin, numbers.data() + end, c.mutable_data());
    return c;
  }
};

auto const gaussian = Gaussian{.m = 0.3, .s = 0.5};

/// D(x, t) of the data, which every teacher here knows exactly.
struct ExactTeacher {
  T operator()(int, T const& x, T const& t) const {
    return mapped(x, t, [](double a, double b) { return gaussian.denoised(a, b); });
  }
};

/// Every interval of a grid of N points with x_t ~ N(m, s² + t²), as x₀ = x_t and z = 0: for methods whose
/// velocity is a teacher's.
inline Samples of_noisy_data(Index N) {
  auto const rule = NormalQuadrature{};
  auto const grid = grid_of(VarianceExploding{});
  Samples all;
  for (Index n = 1; n < N; ++n)
    for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
      auto const t = grid(n + 1, N);
      all.add(gaussian.m + std::hypot(gaussian.s, t) * rule.nodes[i], 0, t, grid(n, N),
              rule.weights[i] / static_cast<double>(N - 1));
    }
  return all;
}

/// Every interval of a grid of N points with x₀ ~ N(m, s²) and z ~ N(0, 1): for methods of data.
inline Samples of_data_and_noise(Index N) {
  auto const rule = NormalQuadrature{31};
  auto const grid = grid_of(VarianceExploding{});
  Samples all;
  for (Index n = 1; n < N; ++n)
    for (std::size_t i = 0; i < rule.nodes.size(); ++i)
      for (std::size_t j = 0; j < rule.nodes.size(); ++j)
        all.add(gaussian.m + gaussian.s * rule.nodes[i], rule.nodes[j], grid(n + 1, N), grid(n, N),
                rule.weights[i] * rule.weights[j] / static_cast<double>(N - 1));
  return all;
}

struct Expectation {
  double value = 0;
  T gradient;  ///< by θ, the whole arena
};

/// E[term] and its gradient by θ; term(method, θ on a tape, x₀, z, t, r) is (n, 1).
inline Expectation expectation(Samples const& samples, Parameters<T> const& theta, auto const& term) {
  constexpr std::size_t block = 1 << 15;
  auto gradient = Parameters<T>{theta.table()};
  double value = 0;
  for (std::size_t begin = 0; begin < samples.x0.size(); begin += block) {
    auto const end = std::min(samples.x0.size(), begin + block);
    auto const column = [&](auto const& numbers) { return Samples::column(numbers, begin, end); };
    Tape<T> tape;
    Parameters<Variable<T>> watched;
    watched.watch(tape, theta, gradient);
    auto const total = sum(column(samples.weight) * term(watched, column(samples.x0), column(samples.z),
                                                         column(samples.t), column(samples.r)));
    value += total.value()[0];
    tape.backward(total);
  }
  return {value, gradient.flat().clone()};
}

inline double relative_gap(T const& a, T const& b) {
  T const difference = sum(square(a - b));
  T const size = sum(square(b));
  return std::sqrt(difference[0] / size[0]);
}

/// log₂ of how much an error falls where the number of points doubles.
inline double slope(double coarse, double fine) { return std::log2(coarse / fine); }

}  // namespace consistency::test
