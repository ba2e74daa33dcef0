// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include <consistency/network/layer/linear.hpp>

namespace consistency {

/// What a condition does to the channels of h, by a linear map of it to scales s and biases b.
enum class Modulation : std::uint8_t {
  scale,           ///< s h + b (Perez et al. 2018)
  one_plus_scale,  ///< (1 + s) h + b
  bias             ///< h + b
};

/// Feature-wise linear modulation (FiLM; Perez et al. 2018).
class Film {
 public:
  Film(ParameterTable& table, std::string const& name, Index condition, Index channels, Modulation kind,
       WeightDistribution distribution = WeightDistribution::fan_in)
      : map_{table, name, condition, kind == Modulation::bias ? channels : 2 * channels, 1, distribution},
        channels_{channels},
        kind_{kind} {}

  /// h (n, 1, t, channels) and a condition (n, c) → as h
  auto operator()(auto const& theta, Operand auto const& h, Operand auto const& condition) const {
    auto const map = map_(theta, condition);  // (n, 2 channels), or (n, channels)
    auto const n = map.shape()[0];
    using V = decltype(evaluated(h + map));
    auto const part = [&](Index i) {
      return reshape(slice(map, i * channels_, (i + 1) * channels_), {n, 1, 1, channels_});
    };
    if (kind_ == Modulation::bias) return V(h + reshape(map, {n, 1, 1, channels_}));
    auto const s = part(0), b = part(1);  // (n, 1, 1, channels)
    if (kind_ == Modulation::one_plus_scale) return V((1.0 + s) * h + b);
    return V(s * h + b);
  }

 private:
  Linear map_;
  Index channels_;
  Modulation kind_;
};

}  // namespace consistency
