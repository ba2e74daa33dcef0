// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <utility>

#include <consistency/autodiff/forward.hpp>

namespace consistency::detail {

/// x̂ = (x − mean) / σ of each group, the gradient of N σ by its N numbers x. So its Jacobian J is symmetric,
/// J a is what the gradient's kernel gives for a, and the derivative of J is symmetric in all its directions.
class Normalized {
 public:
  explicit Normalized(op::GroupNorm const& op) : op_{.groups = op.groups, .epsilon = op.epsilon} {}

  /// x̂
  auto operator()(Value auto const& x) const {
    using T = tensor_of_t<decltype(x)>;
    return apply(op_, x, filled<T>(x, 1), filled<T>(x, 0));  // (n, h, w, c)
  }

  /// J a = (a − mean(a) − x̂ mean(x̂ a)) / σ
  template <class T>
    requires is_tensor<T>
  T along(T const& x, T const& a) const {
    if constexpr (GradientKernelFor<op::GroupNorm, typename T::Backend, T, T, T>) {
      auto const inputs = std::array{x, filled<T>(x, 1), filled<T>(x, 0)};
      TraceCall<typename T::Backend> const call;
      auto gradients = kernel_vjp(op_, {true, false, false}, x, a, inputs[0], inputs[1], inputs[2]);
      if (call) [[unlikely]]
        call.template done_backward<T>(type_signature<op::GroupNorm>(), 0.0, a, inputs, gradients);
      return std::move(gradients[0]);  // (n, h, w, c)
    } else {
      T const normal = (*this)(x);  // (n, h, w, c)
      auto const n4 = grouped(normal), a4 = grouped(a);
      return reshape(T(rate(normal, x) * (a4 - mean(a4) - n4 * mean(n4 * a4))), x.shape());
    }
  }
  template <class T>
  Variable<T> along(Variable<T> const& x, Variable<T> const& a) const {
    T y = along(x.value(), a.value());  // (n, h, w, c)
    auto* const tape = tape_of(x) != nullptr ? tape_of(x) : tape_of(a);
    if (tape == nullptr) return {std::move(y)};
    return tape->record(std::move(y), [self = *this, x, a](Tape<T>& to, T const& g) {
      T along_g = self.along(x.value(), g);
      if (x.node() >= 0) to.accumulate(x.node(), self.curvature(x.value(), a.value(), g, along_g));
      to.accumulate(a.node(), std::move(along_g));
    });
  }
  template <class V>
  Dual<V> along(Dual<V> const& x, Dual<V> const& a) const {
    auto y = Dual<V>{along(x.primal, a.primal)};
    if (a.tangent.defined()) add_term(y.tangent, along(x.primal, a.tangent));
    if (x.tangent.defined())
      add_term(y.tangent, curvature(x.primal, a.primal, x.tangent, along(x.primal, x.tangent)));
    return y;
  }

 private:
  /// The derivative of J a along b: J u − x̂ mean(a J b) / σ with u = −(a mean(x̂ b) + b mean(x̂ a)) / σ.
  template <class V>
  V curvature(V const& x, V const& a, V const& b, V const& along_b) const {
    V const normal = (*this)(x);  // (n, h, w, c)
    auto const n4 = grouped(normal), a4 = grouped(a), b4 = grouped(b);
    auto const r = evaluated(rate(normal, x));                                          // (n, 1, g, 1)
    auto const mean_na = evaluated(mean(n4 * a4)), mean_nb = evaluated(mean(n4 * b4));  // (n, 1, g, 1)
    V const u = -r * (a4 * mean_nb + b4 * mean_na);                                     // (n, h w, g, c / g)
    V const rest = r * mean(a4 * grouped(along_b));                                     // (n, 1, g, 1)
    return reshape(V(grouped(along(x, V(reshape(u, x.shape())))) - n4 * rest), x.shape());
  }

  /// 1 / σ, the root of ε r² + mean(x̂ x) r = 1.
  auto rate(Value auto const& normal, Value auto const& x) const {
    auto const m = evaluated(mean(grouped(normal) * grouped(x)));  // (n, 1, g, 1)
    return 2.0 / (m + sqrt(square(m) + 4 * op_.epsilon));
  }
  auto grouped(Value auto const& x) const {
    auto const& s = x.shape();
    return reshape(x, {s[0], s[1] * s[2], op_.groups, s[3] / op_.groups});  // (n, h w, g, c / g)
  }
  /// Of each group.
  static auto mean(Operand auto const& x4) {
    auto const& v = evaluated(x4);
    auto const& s = v.shape();
    return (1.0 / static_cast<double>(s[1] * s[3])) * sum_to(v, {s[0], 1, s[2], 1});  // (n, 1, g, 1)
  }
  template <class T>
  static T filled(auto const& x, int number) {
    return T(Shape{x.shape()[3]}, static_cast<typename T::Scalar>(number));  // (c)
  }

  op::GroupNorm op_;
};

}  // namespace consistency::detail
