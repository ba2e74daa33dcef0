// SPDX-License-Identifier: MIT
#pragma once

#include <numbers>

#include <consistency/tensor/expression.hpp>

namespace consistency {

/// Element-wise functions: each is written once for every number type and fuses into chains. Operands
/// broadcast by NumPy's rule; plain numbers mix in.
namespace pointwise {

struct Add {
  template <class S>
  static S of(S a, S b) {
    return a + b;
  }
};
struct Subtract {
  template <class S>
  static S of(S a, S b) {
    return a - b;
  }
};
struct Multiply {
  template <class S>
  static S of(S a, S b) {
    return a * b;
  }
};
struct Divide {
  template <class S>
  static S of(S a, S b) {
    return a / b;
  }
};
struct Negate {
  template <class S>
  static S of(S a) {
    return -a;
  }
};
struct Square {
  template <class S>
  static S of(S a) {
    return a * a;
  }
};
struct Exp {
  template <class S>
  static S of(S a) {
    using std::exp;
    return exp(a);
  }
};
struct Log {
  template <class S>
  static S of(S a) {
    using std::log;
    return log(a);
  }
};
struct Sqrt {
  template <class S>
  static S of(S a) {
    using std::sqrt;
    return sqrt(a);
  }
};
struct Sin {
  template <class S>
  static S of(S a) {
    using std::sin;
    return sin(a);
  }
};
struct Cos {
  template <class S>
  static S of(S a) {
    using std::cos;
    return cos(a);
  }
};
struct Tanh {
  template <class S>
  static S of(S a) {
    using std::tanh;
    return tanh(a);
  }
};
struct Abs {
  template <class S>
  static S of(S a) {
    return scalar::absolute(a);
  }
};
struct Sigmoid {
  template <class S>
  static S of(S a) {
    return scalar::sigmoid(a);
  }
};
struct Silu {  // x · sigmoid(x)
  template <class S>
  static S of(S a) {
    return a * scalar::sigmoid(a);
  }
};
struct Gelu {  // x Φ(x), Φ of the standard normal distribution
  template <class S>
  static S of(S a) {
    using scalar::erfc;
    return S(0.5) * a * erfc(S(-std::numbers::sqrt2 / 2) * a);
  }
};
struct Mish {  // x tanh(log(1 + eˣ)) (Misra 2019), where tanh log(1 + eˣ) = σ (2 − σ) / (1 + (1 − σ)²)
  template <class S>
  static S of(S a) {
    auto const s = scalar::sigmoid(a);
    auto const rest = S(1) - s;
    return a * (s * (S(2) - s) / (S(1) + rest * rest));
  }
};
struct Relu {  // max(x, 0)
  template <class S>
  static S of(S a) {
    using scalar::relu;
    return relu(a);
  }
};
struct Maximum {  // of equals the first has the slope; NaN stays
  template <class S>
  static S of(S a, S b) {
    using scalar::maximum;
    return maximum(a, b);
  }
};

}  // namespace pointwise

template <class A, class B>
concept Operands = (Operand<A> && Operand<B>) || (Operand<A> && pointwise::Number<B>) ||
                   (pointwise::Number<A> && Operand<B>);

template <class A, class B>
  requires Operands<A, B>
auto operator+(A const& a, B const& b) {
  return pointwise::binary<pointwise::Add>(a, b);
}
template <class A, class B>
  requires Operands<A, B>
auto operator-(A const& a, B const& b) {
  return pointwise::binary<pointwise::Subtract>(a, b);
}
template <class A, class B>
  requires Operands<A, B>
auto operator*(A const& a, B const& b) {
  return pointwise::binary<pointwise::Multiply>(a, b);
}
template <class A, class B>
  requires Operands<A, B>
auto operator/(A const& a, B const& b) {
  return pointwise::binary<pointwise::Divide>(a, b);
}
template <class A, class B>
  requires Operands<A, B>
auto maximum(A const& a, B const& b) {
  return pointwise::binary<pointwise::Maximum>(a, b);
}
auto operator-(Operand auto const& a) { return pointwise::unary<pointwise::Negate>(a); }
auto square(Operand auto const& a) { return pointwise::unary<pointwise::Square>(a); }
auto exp(Operand auto const& a) { return pointwise::unary<pointwise::Exp>(a); }
auto log(Operand auto const& a) { return pointwise::unary<pointwise::Log>(a); }
auto sqrt(Operand auto const& a) { return pointwise::unary<pointwise::Sqrt>(a); }
auto sin(Operand auto const& a) { return pointwise::unary<pointwise::Sin>(a); }
auto cos(Operand auto const& a) { return pointwise::unary<pointwise::Cos>(a); }
auto tanh(Operand auto const& a) { return pointwise::unary<pointwise::Tanh>(a); }
auto abs(Operand auto const& a) { return pointwise::unary<pointwise::Abs>(a); }
auto sigmoid(Operand auto const& a) { return pointwise::unary<pointwise::Sigmoid>(a); }
auto silu(Operand auto const& a) { return pointwise::unary<pointwise::Silu>(a); }
auto gelu(Operand auto const& a) { return pointwise::unary<pointwise::Gelu>(a); }
auto mish(Operand auto const& a) { return pointwise::unary<pointwise::Mish>(a); }
auto relu(Operand auto const& a) { return pointwise::unary<pointwise::Relu>(a); }

}  // namespace consistency
