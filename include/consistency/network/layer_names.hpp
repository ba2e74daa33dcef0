// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <consistency/network/parameters.hpp>
#include <consistency/network/summary.hpp>
#include <consistency/tensor/trace.hpp>

namespace consistency {

/// Names the layers of θ for a TraceScope, with a prefix that tells one θ from another. Holds as long as θ is
/// not assigned, moved or destroyed.
template <class S, class B>
std::vector<LayerNumbers> layer_names(Parameters<Tensor<S, B>> const& theta, std::string const& prefix = "") {
  std::vector<LayerNumbers> all;
  for (ParameterId id = 0; id < theta.table().entries().size(); ++id)
    all.push_back({theta[id].data(), static_cast<std::size_t>(theta[id].count()) * sizeof(S),
                   prefix + std::string{layer_of(theta.table().entries()[id].name)}});
  return all;
}

}  // namespace consistency
