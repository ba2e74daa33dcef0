// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <complex>
#include <numbers>
#include <type_traits>

#include <consistency/core/device.hpp>

namespace consistency {

/// Scalar functions that element-wise code is written in, for every number type that can pass through it:
/// float, double, complex (complex-step differentiation), SIMD packs and jets.
namespace scalar {

template <class S>
concept Real = std::is_floating_point_v<S>;

template <Real S>
CONSISTENCY_HD S sign(S x) {
  return static_cast<S>((S(0) < x) - (x < S(0)));
}
template <Real S>
S sign(std::complex<S> x) {
  return sign(x.real());
}
template <class S>
S absolute(S x) {
  if constexpr (Real<S>) {
    return std::abs(x);
  } else {
    return abs(x);
  }
}
/// |x| continued analytically from the real axis: std::abs of a complex number is not differentiable.
template <Real S>
std::complex<S> absolute(std::complex<S> x) {
  return sign(x.real()) * x;
}
template <Real S>
CONSISTENCY_HD S relu(S x) {
  return x < S(0) ? S(0) : x;  // NaN stays
}
template <Real S>
std::complex<S> relu(std::complex<S> x) {
  return x.real() < S(0) ? std::complex<S>{} : x;
}
template <Real S>
CONSISTENCY_HD S maximum(S a, S b) {
  return a < b || b != b ? b : a;  // NaN stays
}
template <Real S>
std::complex<S> maximum(std::complex<S> a, std::complex<S> b) {
  return a.real() < b.real() || b.real() != b.real() ? b : a;
}
template <Real S>
CONSISTENCY_HD S erfc(S x) {
  return std::erfc(x);
}
/// 1 − erf x beside the real axis, to first order: what the complex step needs.
template <Real S>
std::complex<S> erfc(std::complex<S> x) {
  constexpr auto slope = static_cast<S>(-2 * std::numbers::inv_sqrtpi);
  return {std::erfc(x.real()), slope * std::exp(-x.real() * x.real()) * x.imag()};
}
template <class S>
S signum(S x) {
  return S(sign(x));
}
template <class S>
S sigmoid(S x) {
  using std::exp;
  return S(1.0) / (S(1.0) + exp(-x));
}

}  // namespace scalar

/// A number with its derivative along one direction (forward mode on scalars).
template <class S>
struct Jet {
  S v, d;

  Jet() = default;
  Jet(S value, S derivative) : v{value}, d{derivative} {}
  explicit Jet(double constant) : v(static_cast<S>(constant)), d(static_cast<S>(0.0)) {}

  friend Jet operator+(Jet a, Jet b) { return {a.v + b.v, a.d + b.d}; }
  friend Jet operator-(Jet a, Jet b) { return {a.v - b.v, a.d - b.d}; }
  friend Jet operator-(Jet a) { return {-a.v, -a.d}; }
  friend Jet operator*(Jet a, Jet b) { return {a.v * b.v, a.d * b.v + a.v * b.d}; }
  friend Jet operator/(Jet a, Jet b) {
    auto const q = a.v / b.v;
    return {q, (a.d - q * b.d) / b.v};
  }
  friend Jet exp(Jet a) {
    using std::exp;
    auto const e = exp(a.v);
    return {e, e * a.d};
  }
  friend Jet log(Jet a) {
    using std::log;
    return {log(a.v), a.d / a.v};
  }
  friend Jet sqrt(Jet a) {
    using std::sqrt;
    auto const r = sqrt(a.v);
    return {r, S(0.5) * a.d / r};
  }
  friend Jet sin(Jet a) {
    using std::cos;
    using std::sin;
    return {sin(a.v), cos(a.v) * a.d};
  }
  friend Jet cos(Jet a) {
    using std::cos;
    using std::sin;
    return {cos(a.v), -sin(a.v) * a.d};
  }
  friend Jet tanh(Jet a) {
    using std::tanh;
    auto const y = tanh(a.v);
    return {y, (S(1.0) - y * y) * a.d};
  }
  friend Jet abs(Jet a) { return {scalar::absolute(a.v), scalar::signum(a.v) * a.d}; }
  friend Jet sign(Jet a) { return {scalar::signum(a.v), S(0.0)}; }
  friend Jet relu(Jet a) {  // the slope at 0 is 0
    using scalar::relu;
    return {relu(a.v), relu(scalar::signum(a.v)) * a.d};
  }
  friend Jet erfc(Jet a) {
    using scalar::erfc;
    using std::exp;
    return {erfc(a.v), S(-2 * std::numbers::inv_sqrtpi) * exp(-a.v * a.v) * a.d};
  }
  friend Jet maximum(Jet a, Jet b) {  // of equals the first has the slope
    using scalar::maximum;
    using scalar::relu;
    auto const second = relu(scalar::signum(b.v - a.v));
    return {maximum(a.v, b.v), (S(1.0) - second) * a.d + second * b.d};
  }
};

namespace scalar {

/// s' = s (1 − s): finite where exp(−x) overflows, which the quotient's own derivative is not.
template <class S>
Jet<S> sigmoid(Jet<S> x) {
  auto const s = sigmoid(x.v);
  return {s, s * (S(1.0) - s) * x.d};
}

}  // namespace scalar

}  // namespace consistency
