// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/process/process.hpp>
#include <consistency/tensor/cpu.hpp>

namespace consistency {

/// Times t (n, 1, …) of one process as times of another at the same noise levels, and the factors (n, 1, …)
/// that take x_t of the one to that of the other. Computed in double on the host.
template <class X>
std::pair<X, X> converted(X const& t, NoiseProcess auto const& from, NoiseProcess auto const& to_process) {
  using S = typename X::Scalar;
  auto const host = to<Cpu>(t);  // (n, 1, …)
  Tensor<S> time{t.shape()};     // (n, 1, …)
  Tensor<S> scale{t.shape()};    // (n, 1, …)
  for (Index i = 0; i < host.count(); ++i) {
    auto const here = static_cast<double>(host[i]);
    auto const there = to_process.time(from.sigma(here));
    time.mutable_data()[i] = static_cast<S>(there);
    scale.mutable_data()[i] = static_cast<S>(to_process.scale(there) / from.scale(here));
  }
  return {to<typename X::Backend>(time), to<typename X::Backend>(scale)};
}

}  // namespace consistency
