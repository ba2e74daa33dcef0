// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"

namespace consistency::test {

/// Parameters far from initial zeros and small gains, so that every branch counts.
inline Parameters<Tensor<double>> moved_parameters(ParameterTable const& table) {
  auto theta = Parameters<Tensor<double>>::initialized(table, {1});
  auto const noise = normal<double>({1, theta.flat().count()}, {4});
  for (Index i = 0; i < noise.count(); ++i) theta.flat().mutable_data()[i] += 0.1 * noise[i];
  return theta;
}

/// The gradient of Σ weights · f(θ) along a direction in each parameter by itself is that of central
/// differences, and in a constant one 0.
inline void check_gradients(ParameterTable const& table, Parameters<Tensor<double>> const& theta,
                            auto const& f) {
  using T = Tensor<double>;
  constexpr auto h = 1e-5;
  T const y = f(theta);
  auto const weights = normal<double>(y.shape(), {30});
  auto const gradient = Parameters<T>{table};
  Tape<T> tape;
  Parameters<Variable<T>> watched;
  watched.watch(tape, theta, gradient);
  auto const recorded = f(watched);
  CHECK(same_bits(stop_gradient(recorded), y));
  tape.backward(sum(weights * recorded));
  for (ParameterId id = 0; id < table.entries().size(); ++id) {
    auto const& entry = table.entries()[id];
    CAPTURE(entry.name);
    if (entry.constant) {
      CHECK(magnitude(gradient[id]) == 0);
      continue;
    }
    auto const direction = normal<double>(Shape{1, entry.shape.count()}, {40});
    auto const at = [&](double step) {
      auto moved = theta;
      for (Index i = 0; i < direction.count(); ++i)
        moved.flat().mutable_data()[entry.offset + i] += step * direction[i];
      return dot(weights, T(f(moved)));
    };
    CHECK(magnitude(gradient[id]) > 0);
    CHECK(relative_error(dot(gradient[id], direction), (at(h) - at(-h)) / (2 * h)) < 1e-5);
  }
}

/// ⟨v, J u⟩ = ⟨Jᵀ v, u⟩ for the Jacobian J of f at x, by forward and by reverse mode.
inline void check_adjoint(Tensor<double> const& x, auto const& f) {
  using T = Tensor<double>;
  auto const u = normal<double>(x.shape(), {60});
  auto const forward = f(Dual<T>{x, u});
  auto const v = normal<double>(forward.tangent.shape(), {61});
  Tape<T> tape;
  auto const watched = tape.watch(x);
  tape.backward(sum(v * f(watched)));
  CHECK(relative_error(dot(v, forward.tangent), dot(tape.gradient(watched), u)) < 1e-12);
}

}  // namespace consistency::test
