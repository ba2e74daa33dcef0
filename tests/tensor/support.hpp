// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <string>
#include <tuple>
#include <utility>

#include <all_operations.hpp>
#include <doctest/doctest.h>

#include <consistency/core/parallel.hpp>
#include <consistency/core/random.hpp>
#include <consistency/tensor/ops.hpp>

namespace consistency::test {

/// Uniform numbers of (low, high), the same at every call with the same arguments.
template <class S, class B = Cpu>
Tensor<S, B> random(Shape const& shape, std::uint32_t stream, double low = -1, double high = 1) {
  auto x = Tensor<S>{shape};
  for (Index i = 0; i < x.count(); ++i) {
    auto const u = uniform_block<double>(Key{1, stream}, {}, static_cast<std::uint32_t>(i / 4));
    x.mutable_data()[i] = static_cast<S>(low + (high - low) * u[static_cast<std::size_t>(i % 4)]);
  }
  return to<B>(x);
}

/// The same numbers as another scalar or in another backend.
template <class To, class B, class From, class FromBackend>
Tensor<To, B> convert(Tensor<From, FromBackend> const& x) {
  auto const from = to<Cpu>(x);
  auto y = Tensor<To>{x.shape()};
  for (Index i = 0; i < x.count(); ++i) y.mutable_data()[i] = static_cast<To>(from[i]);
  return to<B>(y);
}

template <class S, class B>
bool same_bits(Tensor<S, B> const& x, Tensor<S, B> const& y) {
  auto const a = to<Cpu>(x);
  auto const b = to<Cpu>(y);
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.values().size_bytes()) == 0;
}

template <class S, class B, class C>
double dot(Tensor<S, B> const& a, Tensor<S, C> const& b) {
  REQUIRE(a.shape() == b.shape());
  auto sum = 0.0;
  for (Index i = 0; i < a.count(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}
template <class S, class B>
double norm(Tensor<S, B> const& a) {
  return std::sqrt(dot(a, a));
}

/// ‖a − b‖ / ‖b‖; ‖a‖ where b = 0.
template <class S, class B, class C>
double relative_error(Tensor<S, B> const& found, Tensor<double, C> const& expected) {
  REQUIRE(found.shape() == expected.shape());
  auto const a = to<Cpu>(found);
  auto const b = to<Cpu>(expected);
  auto difference = 0.0;
  auto size = 0.0;
  for (Index i = 0; i < b.count(); ++i) {
    auto const d = static_cast<double>(a[i]) - b[i];
    difference += d * d;
    size += b[i] * b[i];
  }
  return std::sqrt(size == 0 ? difference : difference / size);
}

/// Sets the number of threads and puts it back.
class Threads {
 public:
  explicit Threads(unsigned count) : before_{threads()} { set_threads(count); }
  Threads(Threads const&) = delete;
  Threads& operator=(Threads const&) = delete;
  ~Threads() { set_threads(before_); }

 private:
  unsigned before_;
};

/// An operation with its settings, the shapes of its operands and the range of their numbers.
template <class Op, std::size_t N>
struct Case {
  Op op;
  std::array<Shape, N> shapes;
  double low = -1, high = 1;

  std::string text() const {
    auto line = std::string{};
    for (auto const& s : shapes) {
      if (!line.empty()) line += " ";
      line += s.text();
    }
    return line;
  }
};

template <class Op, class... S>
Case<Op, sizeof...(S)> make_case(Op op, S const&... shapes) {
  return {op, {shapes...}};
}

/// Random operands of a case.
template <class S, class B = Cpu, class Op, std::size_t N>
std::array<Tensor<S, B>, N> operands(Case<Op, N> const& c, std::uint32_t stream = 0) {
  std::array<Tensor<S, B>, N> x;
  for (std::size_t k = 0; k < N; ++k)
    x[k] = random<S, B>(c.shapes[k], stream + static_cast<std::uint32_t>(k), c.low, c.high);
  return x;
}

/// op(x…) by the kernel of x's backend, or by whatever its value type brings.
template <class Op, class V, std::size_t N>
auto compute(Op const& op, std::array<V, N> const& x) {
  return std::apply([&](auto const&... v) { return apply(op, v...); }, x);
}

template <class Visit, class... T>
void for_each_type(TypeList<T...>, Visit const& visit) {
  (visit.template operator()<T>(), ...);
}

}  // namespace consistency::test
