// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/tensor/reference.hpp>

#include "../support/rounding.hpp"
#include "../tensor/support.hpp"

namespace consistency::test {

/// Which operands take part: one bit each.
using Mask = unsigned;
template <std::size_t N>
inline constexpr Mask all = (1U << N) - 1;
constexpr bool has(Mask mask, std::size_t k) { return (mask >> k & 1U) != 0; }

template <class S, std::size_t N>
using Tensors = std::array<Tensor<S>, N>;

/// Random tensors of the operands' shapes.
template <class S, std::size_t N>
Tensors<S, N> directions(Tensors<S, N> const& x, std::uint32_t stream) {
  Tensors<S, N> u;
  for (std::size_t k = 0; k < N; ++k) u[k] = random<S>(x[k].shape(), stream + static_cast<std::uint32_t>(k));
  return u;
}

/// The derivative of op along the masked directions, exact up to rounding: Im op(x + i h u) / h by the
/// reference.
template <class Op, std::size_t N>
Tensor<double> complex_step(Op const& op, Tensors<double, N> const& x, Tensors<double, N> const& u,
                            Mask mask) {
  using Complex = std::complex<double>;
  constexpr auto h = 1e-200;
  std::array<Tensor<Complex, Reference>, N> z;
  for (std::size_t k = 0; k < N; ++k) {
    z[k] = Tensor<Complex, Reference>{x[k].shape()};
    for (Index i = 0; i < x[k].count(); ++i)
      z[k].mutable_data()[i] = {x[k][i], has(mask, k) ? h * u[k][i] : 0.0};
  }
  auto const y = compute(op, z);
  auto derivative = Tensor<double>{y.shape()};
  for (Index i = 0; i < y.count(); ++i) derivative.mutable_data()[i] = y[i].imag() / h;
  return derivative;
}

/// Forward mode: op of duals, the operands outside the mask without a tangent.
template <class S, class Op, std::size_t N>
Dual<Tensor<S>> forward(Op const& op, Tensors<S, N> const& x, Tensors<S, N> const& u, Mask mask) {
  std::array<Dual<Tensor<S>>, N> dual;
  for (std::size_t k = 0; k < N; ++k) {
    dual[k].primal = x[k];
    if (has(mask, k)) dual[k].tangent = u[k];
  }
  return compute(op, dual);
}

/// Zeros where a gradient is undefined.
template <class T>
T or_zero(T const& gradient, Shape const& shape) {
  return gradient.defined() ? gradient : T{shape, typename T::Scalar(0)};
}

/// Reverse mode: the gradients of <op(x), v> with respect to the masked operands; the others stay undefined.
template <class S, class Op, std::size_t N>
Tensors<S, N> reverse(Op const& op, Tensors<S, N> const& x, Tensor<S> const& v, Mask mask) {
  Tape<Tensor<S>> tape;
  std::array<Variable<Tensor<S>>, N> variable;
  for (std::size_t k = 0; k < N; ++k)
    variable[k] = has(mask, k) ? tape.watch(x[k]) : Variable<Tensor<S>>{x[k]};
  tape.backward(compute(op, variable), v);
  Tensors<S, N> gradients;
  for (std::size_t k = 0; k < N; ++k)
    if (has(mask, k)) gradients[k] = or_zero(tape.gradient(variable[k]), x[k].shape());
  return gradients;
}

template <class S, std::size_t N>
double dot_all(Tensors<S, N> const& a, Tensors<S, N> const& b) {
  auto sum = 0.0;
  for (std::size_t k = 0; k < N; ++k) sum += dot(a[k], b[k]);
  return sum;
}

/// a · x + b · y
template <class S>
Tensor<S> combine(double a, Tensor<S> const& x, double b, Tensor<S> const& y) {
  auto z = Tensor<S>{x.shape()};
  for (Index i = 0; i < x.count(); ++i)
    z.mutable_data()[i] = static_cast<S>(a) * x[i] + static_cast<S>(b) * y[i];
  return z;
}

template <class S>
bool all_zero(Tensor<S> const& x) {
  return std::all_of(x.values().begin(), x.values().end(), [](S v) { return v == S(0); });
}

/// The tests of one row of the operation table.
namespace check {

/// JVPs against the complex step, for every set of operands that have tangents.
struct Forward {
  template <class Op, std::size_t N>
  void operator()(Case<Op, N> const& c) const {
    auto const x = operands<double>(c);
    auto const u = directions(x, 100);
    for (Mask mask = 1; mask <= all<N>; ++mask) {
      CAPTURE(mask);
      auto const y = forward(c.op, x, u, mask);
      REQUIRE(y.tangent.defined());
      auto const error = relative_error(y.tangent, complex_step(c.op, x, u, mask));
      CHECK(error <= 1e-12);
    }
  }
};

/// VJPs against the complex step: along a random direction per operand, and for small shapes the whole
/// Jacobian.
struct Reverse {
  template <class Op, std::size_t N>
  void operator()(Case<Op, N> const& c) const {
    auto const x = operands<double>(c);
    auto const u = directions(x, 200);
    auto const y = compute(c.op, x);
    auto const v = random<double>(y.shape(), 300);
    auto const gradients = reverse(c.op, x, v, all<N>);
    for (std::size_t k = 0; k < N; ++k) {
      CAPTURE(k);
      CHECK(gradients[k].shape() == x[k].shape());
      auto const along = complex_step(c.op, x, u, 1U << k);
      auto const error = std::abs(dot(gradients[k], u[k]) - dot(v, along));
      CHECK(error <= 1e-12 * norm(v) * norm(along));
      CHECK(same_bits(reverse(c.op, x, v, 1U << k)[k], gradients[k]));
      if (x[k].count() * y.count() <= 4000) jacobian(c.op, x, y.shape(), k);
    }
  }

 private:
  template <class Op, std::size_t N>
  static void jacobian(Op const& op, Tensors<double, N> const& x, Shape const& shape, std::size_t k) {
    auto const rows = shape.count();
    auto const columns = x[k].count();
    auto by_step = Tensor<double>{Shape{rows, columns}};
    auto unit = x;
    for (Index j = 0; j < columns; ++j) {
      unit[k] = Tensor<double>{x[k].shape(), 0.0};
      unit[k].mutable_data()[j] = 1;
      auto const column = complex_step(op, x, unit, 1U << k);
      for (Index i = 0; i < rows; ++i) by_step.mutable_data()[i * columns + j] = column[i];
    }
    auto worst = 0.0;
    auto largest = 0.0;
    for (Index i = 0; i < rows; ++i) {
      auto e = Tensor<double>{shape, 0.0};
      e.mutable_data()[i] = 1;
      auto const row = reverse(op, x, e, 1U << k)[k];
      for (Index j = 0; j < columns; ++j) {
        worst = std::max(worst, std::abs(row[j] - by_step[i * columns + j]));
        largest = std::max(largest, std::abs(by_step[i * columns + j]));
      }
    }
    CHECK(worst <= 1e-12 * largest);
  }
};

/// <v, J u> = <Jᵀ v, u> for 20 random pairs, relative to the larger of |v| |J u| and |Jᵀ v| |u|: where
/// operands' parts of J u cancel, the first alone is no measure of the rounding that went into it.
template <class S>
struct DotProduct {
  template <class Op, std::size_t N>
  void operator()(Case<Op, N> const& c) const {
    auto const x = operands<S>(c);
    for (std::uint32_t pair = 0; pair < 20; ++pair) {
      auto const u = directions(x, 400 + 10 * pair);
      auto const tangent = forward(c.op, x, u, all<N>).tangent;
      auto const v = random<S>(tangent.shape(), 405 + 10 * pair);
      auto const gradients = reverse(c.op, x, v, all<N>);
      auto const error = std::abs(dot(v, tangent) - dot_all(gradients, u));
      auto const size =
          std::max(norm(v) * norm(tangent), std::sqrt(dot_all(gradients, gradients) * dot_all(u, u)));
      CHECK(error <= 4 * gradient_rounding_error<S>(c.op, c.shapes, tangent.shape()) * size);
    }
  }
};

/// Reverse over forward: gradients of <w, jvp(x, u)> with respect to every operand and every direction,
/// against central differences of the JVP, for every set of operands that have tangents.
struct ReverseOverForward {
  template <class Op, std::size_t N>
  void operator()(Case<Op, N> const& c) const {
    for (Mask mask = 1; mask <= all<N>; ++mask) {
      CAPTURE(mask);
      check(c.op, operands<double>(c), mask);
    }
  }

 private:
  template <class Op, std::size_t N>
  static void check(Op const& op, Tensors<double, N> const& x, Mask mask) {
    using V = Variable<Tensor<double>>;
    auto const u = directions(x, 600);
    Tape<Tensor<double>> tape;
    std::array<V, N> watched;
    std::array<V, N> direction;
    std::array<Dual<V>, N> dual;
    for (std::size_t k = 0; k < N; ++k) {
      dual[k].primal = watched[k] = tape.watch(x[k]);
      if (has(mask, k)) dual[k].tangent = direction[k] = tape.watch(u[k]);
    }
    Dual<V> const y = compute(op, dual);
    REQUIRE(y.tangent.defined());
    auto const plain = forward(op, x, u, mask);
    CHECK(same_bits(y.primal.value(), plain.primal));
    if constexpr (std::is_same_v<Op, op::Attention>) {  // of tensors it is a kernel, of variables operations
      CHECK(norm(combine(1, y.tangent.value(), -1, plain.tangent)) <= 1e-14 * norm(plain.tangent));
    } else {
      CHECK(same_bits(y.tangent.value(), plain.tangent));
    }
    auto const w = random<double>(y.shape(), 700);
    tape.backward(y.tangent, w);

    constexpr auto h = 1e-5;
    auto const value = [&](Tensors<double, N> const& at, Tensors<double, N> const& along) {
      return dot(w, forward(op, at, along, mask).tangent);
    };
    auto const scale = norm(w) * norm(plain.tangent);
    for (std::size_t k = 0; k < N; ++k) {
      CAPTURE(k);
      auto const p = random<double>(x[k].shape(), 800);
      auto const moved = [&](Tensors<double, N> const& from, double step) {
        auto to = from;
        to[k] = combine(1, from[k], step, p);
        return to;
      };
      agree(tape.gradient(watched[k]), p, (value(moved(x, h), u) - value(moved(x, -h), u)) / (2 * h), scale);
      if (has(mask, k))
        agree(tape.gradient(direction[k]), p, (value(x, moved(u, h)) - value(x, moved(u, -h))) / (2 * h),
              scale);
    }
  }

  static void agree(Tensor<double> const& gradient, Tensor<double> const& p, double difference,
                    double scale) {
    auto const g = or_zero(gradient, p.shape());
    auto const error = std::abs(dot(g, p) - difference);
    CHECK(error <= 1e-7 * (norm(g) * norm(p) + scale));
  }
};

/// What holds exactly or nearly so whatever the operation is.
struct Identities {
  template <class Op, std::size_t N>
  void operator()(Case<Op, N> const& c) const {
    auto const x = operands<double>(c);
    auto const u = directions(x, 900);
    auto const y = compute(c.op, x);

    auto const dual = forward(c.op, x, u, all<N>);
    CHECK(same_bits(dual.primal, y));
    CHECK(dual.tangent.shape() == y.shape());
    CHECK_FALSE(forward(c.op, x, u, 0).tangent.defined());

    for (auto const& g : reverse(c.op, x, Tensor<double>{y.shape(), 0.0}, all<N>)) CHECK(all_zero(g));
    Tensors<double, N> still;
    for (std::size_t k = 0; k < N; ++k) still[k] = Tensor<double>{x[k].shape(), 0.0};
    CHECK(all_zero(forward(c.op, x, still, all<N>).tangent));

    auto const v = random<double>(y.shape(), 950);
    auto const w = random<double>(y.shape(), 951);
    auto const of_v = reverse(c.op, x, v, all<N>);
    auto const of_w = reverse(c.op, x, w, all<N>);
    auto const of_both = reverse(c.op, x, combine(2.5, v, -0.75, w), all<N>);
    for (std::size_t k = 0; k < N; ++k) {
      auto const sum = combine(2.5, of_v[k], -0.75, of_w[k]);
      CHECK(norm(combine(1, of_both[k], -1, sum)) <= 1e-12 * (norm(of_v[k]) + norm(of_w[k])));
    }
  }
};

}  // namespace check

}  // namespace consistency::test
