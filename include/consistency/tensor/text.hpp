// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <consistency/core/type_name.hpp>
#include <consistency/tensor/expression.hpp>

namespace consistency {

struct TextSettings {
  Index summarised = 1000;  ///< tensors of more numbers show the edges of each axis, and "..." between
  Index edge = 3;           ///< numbers at each edge
  std::size_t width = 100;  ///< columns of a line
};

namespace detail {

/// Lays numbers out in nested brackets, as NumPy does: columns aligned at the decimal point.
template <class S>
class TensorText {
 public:
  TensorText(Tensor<S, Cpu> const& x, TextSettings settings)
      : x_{x}, settings_{settings}, cut_{x.count() > settings.summarised} {
    if (x.count() > 0) visit([&](Index at) { measure(number(x_[at])); }, 0, 0);
  }

  std::string text() const {
    if (x_.count() == 0) return "[]";
    std::string all;
    write(all, 0, 0);
    return all;
  }

 private:
  static std::string number(S value) {
    if constexpr (std::is_arithmetic_v<S>) {
      return number_text(value);
    } else {
      auto const imag_part = number_text(value.imag());
      return number_text(value.real()) + (imag_part.starts_with('-') ? "" : "+") + imag_part + "i";
    }
  }
  /// Where the decimals of a number's text begin.
  static std::size_t point(std::string_view number) {
    return std::min(number.find_first_of(".e", 1), number.size());
  }
  void measure(std::string const& number) {
    before_ = std::max(before_, point(number));
    after_ = std::max(after_, number.size() - point(number));
  }
  std::string padded(std::string const& number) const {
    auto const whole = point(number);
    return std::string(before_ - whole, ' ') + number + std::string(after_ - (number.size() - whole), ' ');
  }

  bool cut(std::size_t axis) const { return cut_ && x_.shape()[axis] > 2 * settings_.edge; }
  /// what(i) for the positions of an axis that are shown, −1 where some are left out.
  void for_shown(std::size_t axis, auto const& what) const {
    auto const extent = x_.shape()[axis];
    for (Index i = 0; i < extent; ++i) {
      if (cut(axis) && i == settings_.edge) {
        what(Index{-1});
        i = extent - settings_.edge;
      }
      if (i < extent) what(i);
    }
  }
  void visit(auto const& what, std::size_t axis, Index at) const {
    if (axis == x_.shape().rank()) return what(at);
    for_shown(axis, [&](Index i) {
      if (i >= 0) visit(what, axis + 1, at * x_.shape()[axis] + i);
    });
  }

  void write(std::string& to, std::size_t axis, Index at) const {
    auto const rank = x_.shape().rank();
    if (rank == 0) {
      to += number(x_[0]);
      return;
    }
    auto const indent = std::string(axis + 1, ' ');
    auto const last = axis + 1 == rank;
    auto column = axis + 1;
    auto first = true;
    to += "[";
    for_shown(axis, [&](Index i) {
      auto const item = i < 0  ? std::string{"..."}
                        : last ? padded(number(x_[at * x_.shape()[axis] + i]))
                               : "";
      if (last) {
        auto const wrap = !first && column + 1 + item.size() >= settings_.width;
        if (!first) to += wrap ? "\n" + indent : " ";
        column = (wrap ? indent.size() : column + (first ? 0 : 1)) + item.size();
      } else if (!first) {
        to += std::string(rank - axis - 1, '\n') + indent;
      }
      first = false;
      to += item;
      if (!last && i >= 0) write(to, axis + 1, at * x_.shape()[axis] + i);
    });
    to += "]";
  }

  Tensor<S, Cpu> x_;
  TextSettings settings_;
  bool cut_;
  std::size_t before_ = 0, after_ = 0;  // characters before and from the point
};

}  // namespace detail

/// A tensor's type, shape and numbers, for people:
///
///   Tensor<float, Cpu> (2, 3)
///   [[ 1    2.5 -3  ]
///    [ 0.1 nan   1  ]]
///
/// A number has as many digits as tell it from its neighbours, so that it reads back as itself. Numbers on a
/// device are copied.
template <class S, class B>
std::string text(Tensor<S, B> const& x, TextSettings settings = {}) {
  auto const type = "Tensor<" + type_name<S>() + ", " + type_name<B>() + ">";
  if (!x.defined()) return type + " undefined " + x.shape().text();
  return type + " " + x.shape().text() + "\n" + detail::TensorText<S>{to<Cpu>(x), settings}.text();
}
/// A chain of element-wise operations, computed.
template <class F, class... V>
std::string text(Expression<F, V...> const& x, TextSettings settings = {}) {
  return text(x.evaluate(), settings);
}

}  // namespace consistency
