#pragma once

#include <concepts>

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// d(x, y) ≥ 0 per sample: two values (n, …) to (n, 1, …, 1). Models: L1, L2, PseudoHuber.
/// docs/concepts/metric.md
template <class M>
concept Metric = requires(M const& d, Tensor<float> const& x) {
  { evaluated(d(x, x)) } -> std::convertible_to<Tensor<float>>;
};

}  // namespace consistency
