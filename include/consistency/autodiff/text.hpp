// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/autodiff/forward.hpp>
#include <consistency/autodiff/reverse.hpp>
#include <consistency/tensor/text.hpp>

namespace consistency {

/// "Variable, node 3 of its tape: " or "Variable, constant: ", and the value.
template <class T>
std::string text(Variable<T> const& x, TextSettings settings = {}) {
  auto const place =
      x.node() < 0 ? std::string{"constant"} : "node " + number_text(x.node()) + " of its tape";
  return "Variable, " + place + ": " + text(x.value(), settings);
}

/// "Dual: ", the value, and on a line of its own "tangent: " with the tangent, 0 where it is undefined.
template <class V>
std::string text(Dual<V> const& x, TextSettings settings = {}) {
  return "Dual: " + text(x.primal, settings) +
         "\ntangent: " + (x.tangent.defined() ? text(x.tangent, settings) : std::string{"0"});
}

}  // namespace consistency
