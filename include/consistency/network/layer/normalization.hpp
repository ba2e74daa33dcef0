// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <string>

#include <consistency/core/check.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

struct NormalizationSettings {
  Index groups = 8;
  bool silu = true;
  double epsilon = 1e-5;
  Index group_channels = 0;  ///< at least so many per group, with fewer groups where needed; 0: any number
};

/// Group normalisation followed by SiLU, optionally modulated by each sample's own scale and shift:
/// silu(norm(x) · γ(1 + s) + (β(1 + s) + b)).
class Normalization {
 public:
  /// Throws config_error where channels are not divisible by groups, or for an epsilon that is not positive.
  Normalization(ParameterTable& table, std::string const& name, Index channels,
                NormalizationSettings settings)
      : scale_{table.add(name + ".weight", {channels}, Initializer::ones())},
        shift_{table.add(name + ".bias", {channels}, Initializer::zeros())},
        settings_{groups(channels, settings), settings.epsilon, settings.silu} {
    if (settings_.groups < 1 || channels % settings_.groups != 0)
      fail<config_error>(name, "channels not divisible by the groups of the normalisation",
                         number_text(channels) + " channels, " + number_text(settings_.groups) + " groups",
                         "a multiple of the groups",
                         "The nearest is " +
                             number_text((channels / std::max<Index>(1, settings_.groups) + 1) *
                                         std::max<Index>(1, settings_.groups)) +
                             " channels.");
    require_setting(settings.epsilon > 0 && settings.epsilon <= 1, name.c_str(), "epsilon", settings.epsilon,
                    "above 0, at most 1");
  }

  /// x (n, …, c) → the same shape.
  auto operator()(auto const& theta, Operand auto const& x) const {
    return group_norm(x, theta[scale_], theta[shift_], settings_);
  }
  /// x (n, h, w, c), scale and shift (n, 1, 1, c) → (n, h, w, c)
  auto operator()(auto const& theta, Operand auto const& x, Operand auto const& scale,
                  Operand auto const& shift) const {
    return group_norm(x, theta[scale_] * (1.0 + scale), theta[shift_] * (1.0 + scale) + shift, settings_);
  }

 private:
  static Index groups(Index channels, NormalizationSettings const& settings) {
    if (settings.group_channels < 1) return settings.groups;
    return std::min(settings.groups, channels / settings.group_channels);
  }

  ParameterId scale_, shift_;
  op::GroupNorm settings_;
};

}  // namespace consistency
