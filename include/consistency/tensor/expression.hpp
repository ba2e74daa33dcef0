// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include <consistency/tensor/scalar.hpp>
#include <consistency/tensor/value.hpp>

namespace consistency {

/// An element-wise function of N numbers as an operation: one pass over memory however long the chain is.
/// F::eval<0>(leaves) computes one element from std::array<Number, N>.
template <class F>
struct Pointwise {
  F f;
};

namespace pointwise {

struct Leaf {
  static constexpr std::size_t leaves = 1;
  template <std::size_t At, class Numbers>
  auto eval(Numbers const& x) const {
    return x[At];
  }
};

struct Constant {
  static constexpr std::size_t leaves = 0;
  double value;
  template <std::size_t, class Numbers>
  auto eval(Numbers const&) const {
    return typename Numbers::value_type(static_cast<typename Numbers::value_type>(value));
  }
};

template <class F, class A>
struct Unary {
  static constexpr std::size_t leaves = A::leaves;
  A a;
  template <std::size_t At, class Numbers>
  auto eval(Numbers const& x) const {
    return F::of(a.template eval<At>(x));
  }
};

template <class F, class A, class B>
struct Binary {
  static constexpr std::size_t leaves = A::leaves + B::leaves;
  A a;
  B b;
  template <std::size_t At, class Numbers>
  auto eval(Numbers const& x) const {
    return F::of(a.template eval<At>(x), b.template eval<At + A::leaves>(x));
  }
};

/// d f(x) = Σ ∂f/∂xₖ dxₖ as an element-wise function of x and dx.
template <class F>
struct Tangent {
  static constexpr std::size_t leaves = 2 * F::leaves;
  F f;

  template <std::size_t At, class Numbers>
  auto eval(Numbers const& x) const {
    using S = typename Numbers::value_type;
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
      auto const jets = std::array<Jet<S>, F::leaves>{Jet<S>{x[At + K], x[At + F::leaves + K]}...};
      return f.template eval<0>(jets).d;
    }(std::make_index_sequence<F::leaves>{});
  }
};

}  // namespace pointwise

/// A chain of element-wise operations that has not run yet. It becomes a value where one is asked for: by
/// assignment to a value type, as an argument of any other operation, or by `evaluated`. Held by `auto` it is
/// evaluated anew at every use.
template <class F, class... V>
struct Expression {
  F f;
  std::tuple<V...> leaves;

  auto evaluate() const {
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
      return apply(Pointwise<F>{f}, std::get<K>(leaves)...);
    }(std::index_sequence_for<V...>{});
  }
  template <Value Result>
  operator Result() const {  // NOLINT(google-explicit-constructor): an expression is its value, later
    static_assert(std::is_convertible_v<decltype(evaluate()), Result>,
                  "this chain has another type than the value it is assigned to: where theta is on a tape, "
                  "activations are Variables and x is not. Write `auto const h = evaluated(...)` for a type "
                  "that follows");
    return evaluate();
  }
};

template <class T>
inline constexpr bool is_expression = false;
template <class F, class... V>
inline constexpr bool is_expression<Expression<F, V...>> = true;

template <class T>
concept Operand = Value<T> || is_expression<std::remove_cvref_t<T>>;

/// A value as it is, an expression computed.
template <Value V>
V const& evaluated(V const& x) {
  return x;
}
template <class F, class... V>
auto evaluated(Expression<F, V...> const& e) {
  return e.evaluate();
}
template <Operand X>
using value_t = std::remove_cvref_t<decltype(evaluated(std::declval<std::remove_reference_t<X> const&>()))>;

namespace pointwise {

template <Value V>
auto part(V const& x) {
  return Expression<Leaf, V>{{}, {x}};
}
template <class F, class... V>
auto const& part(Expression<F, V...> const& e) {
  return e;
}
template <class N>
  requires std::is_arithmetic_v<N>
auto part(N c) {
  return Expression<Constant>{{static_cast<double>(c)}, {}};
}

template <class F, class A, class... U>
auto joined(Expression<A, U...> const& a) {
  return Expression<Unary<F, A>, U...>{{a.f}, a.leaves};
}
template <class F, class A, class... U, class B, class... V>
auto joined(Expression<A, U...> const& a, Expression<B, V...> const& b) {
  return [&]<std::size_t... K, std::size_t... L>(std::index_sequence<K...>, std::index_sequence<L...>) {
    return Expression<Binary<F, A, B>, U..., V...>{{a.f, b.f},
                                                   {std::get<K>(a.leaves)..., std::get<L>(b.leaves)...}};
  }(std::index_sequence_for<U...>{}, std::index_sequence_for<V...>{});
}

template <class F, class X>
auto unary(X const& x) {
  return joined<F>(part(x));
}
template <class F, class X, class Y>
auto binary(X const& x, Y const& y) {
  return joined<F>(part(x), part(y));
}

template <class T>
concept Number = std::is_arithmetic_v<T>;

}  // namespace pointwise

}  // namespace consistency
