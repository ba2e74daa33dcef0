// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <consistency/autodiff/rule.hpp>

namespace consistency {

/// Rules of the linear maps that move, repeat or add up numbers. Each one's adjoint is written in the others.
struct LinearMapRule {
  static constexpr std::size_t keeps_inputs = 0;
  static constexpr bool keeps_output = false;

  template <class Op, class Y, class X, class D>
  static Y jvp(Op const& op, Y const&, X const&, D const& dx) {
    return apply(op, dx);
  }
};

template <>
struct Rule<op::SumTo> : LinearMapRule {
  template <class T>
  static std::array<T, 1> vjp(op::SumTo const&, auto const&, T const&, T const& g,
                              std::array<T, 1> const& x) {
    // Leading axes that the target lacks come back as axes of extent 1.
    return {broadcast_to(g, x[0].shape())};
  }
};

template <>
struct Rule<op::BroadcastTo> : LinearMapRule {
  template <class T>
  static std::array<T, 1> vjp(op::BroadcastTo const&, auto const&, T const&, T const& g,
                              std::array<T, 1> const& x) {
    return {sum_to(g, x[0].shape())};
  }
};

template <>
struct Rule<op::Reshape> : LinearMapRule {
  template <class T>
  static std::array<T, 1> vjp(op::Reshape const&, auto const&, T const&, T const& g,
                              std::array<T, 1> const& x) {
    return {reshape(g, x[0].shape())};
  }
};

template <>
struct Rule<op::Upsample> : LinearMapRule {
  template <class T>
  static std::array<T, 1> vjp(op::Upsample const&, auto const&, T const&, T const& g,
                              std::array<T, 1> const&) {
    return {4 * downsample(g)};
  }
};

template <>
struct Rule<op::Downsample> : LinearMapRule {
  template <class T>
  static std::array<T, 1> vjp(op::Downsample const&, auto const&, T const&, T const& g,
                              std::array<T, 1> const&) {
    return {0.25 * upsample(g)};
  }
};

template <>
struct Rule<op::Blur> : LinearMapRule {
  template <class T>
  static std::array<T, 1> vjp(op::Blur const&, auto const&, T const&, T const& g, std::array<T, 1> const&) {
    return {blur(g)};
  }
};

template <>
struct Rule<op::Resize> : LinearMapRule {
  template <class T>
  static std::array<T, 1> vjp(op::Resize const& op, auto const&, T const&, T const& g,
                              std::array<T, 1> const& x) {
    auto const& shape = x[0].shape();
    return {apply(op::Resize{shape[1], shape[2], !op.adjoint, op.centre}, g)};
  }
};

template <>
struct Rule<op::SpaceToDepth> : LinearMapRule {
  template <class T>
  static std::array<T, 1> vjp(op::SpaceToDepth const& op, auto const&, T const&, T const& g,
                              std::array<T, 1> const&) {
    return {depth_to_space(g, op.patch)};
  }
};

template <>
struct Rule<op::DepthToSpace> : LinearMapRule {
  template <class T>
  static std::array<T, 1> vjp(op::DepthToSpace const& op, auto const&, T const&, T const& g,
                              std::array<T, 1> const&) {
    return {space_to_depth(g, op.patch)};
  }
};

template <>
struct Rule<op::Slice> : LinearMapRule {
  template <class T>
  static std::array<T, 1> vjp(op::Slice const& op, auto const&, T const&, T const& g,
                              std::array<T, 1> const& x) {
    using S = typename T::Scalar;
    auto padded = g;
    auto const& shape = x[0].shape();
    if (op.begin > 0) padded = concat(T(shape.with_channels(op.begin), S(0)), padded);
    if (op.end < shape.back()) padded = concat(padded, T(shape.with_channels(shape.back() - op.end), S(0)));
    return {padded};
  }
};

template <>
struct Rule<op::Concat> {
  static constexpr std::size_t keeps_inputs = 0;
  static constexpr bool keeps_output = false;

  template <class T>
  static std::array<T, 2> vjp(op::Concat const&, std::array<bool, 2> const& wanted, T const&, T const& g,
                              std::array<T, 2> const& x) {
    auto const split = x[0].shape().back();
    return {wanted[0] ? slice(g, 0, split) : T{}, wanted[1] ? slice(g, split, g.shape().back()) : T{}};
  }

  template <class Y>
  static Y jvp(op::Concat const& op, Y const&, auto const& a, auto const& b, auto const& da, auto const& db) {
    using T = tensor_of_t<Y>;
    auto const zeros = [](auto const& x) { return Y(T(x.shape(), typename T::Scalar(0))); };
    return apply(op, da.defined() ? Y(da) : zeros(a), db.defined() ? Y(db) : zeros(b));
  }
};

}  // namespace consistency
