// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <optional>
#include <string>

#include <consistency/network/conditions.hpp>
#include <consistency/network/layer/embedding.hpp>
#include <consistency/network/layer/linear.hpp>

namespace consistency {

/// What a network takes beside a time.
struct ConditionSettings {
  Index features =
      0;  ///< of its condition, as the model has them: classes, 1 + d of observations; 0: it takes none
  bool null = true;  ///< whether it is trained under the null condition too, so that it can be guided

  void check(char const* where) const {
    require_within(where, "features of the condition", features, 0, Index{1} << 20U);
  }
  /// Enters these settings among the conventions of a network's parameters, where there is a condition.
  void declare(ParameterTable& table) const {
    if (features > 0)
      table.add_convention({"condition", text(), ConditionSettings{.features = features}.text()});
  }
  std::string text() const {  ///< as it is written in a program
    return "{.features = " + number_text(features) + ", .null = " + (null ? "true" : "false") + "}";
  }
};

/// What networks see of a time and a condition: features of the time, to which a linear map of the
/// condition's is added, √k c W + b for c (n, k) (EDM's map_label; Karras et al. 2022).
class ConditionEmbedding {
 public:
  /// Registers the map as `name`, where there is a condition.
  ConditionEmbedding(ParameterTable& table, std::string const& name, TimeEmbedding time, Index channels,
                     ConditionSettings condition,
                     WeightDistribution distribution = WeightDistribution::fan_in)
      : time_{time}, channels_{channels}, condition_{condition} {
    condition.check("ConditionEmbedding");
    condition.declare(table);
    if (condition.features > 0) map_.emplace(table, name, condition.features, channels, 1, distribution);
  }

  /// next(features (n, channels)) of time (n, 1, …) and condition (n, k). Throws config_error where a
  /// condition is missing, has no place, or has another number of features.
  auto operator()(auto const& theta, auto const& beside_x, auto const& next) const {
    auto const& at = conditions_of(beside_x);
    check(at.condition.width());
    auto const time = time_(at.time, channels_);  // (n, channels)
    if (!map_) return next(time);
    auto const scale = std::sqrt(static_cast<double>(condition_.features));
    auto const beside = (*map_)(theta, scale * at.condition.features());  // (n, channels)
    return next(evaluated(time + beside));
  }

 private:
  void check(Index found) const {
    if (found == condition_.features) return;
    auto const text = [](Index features) {
      return features == 0 ? std::string{"none"} : number_text(features) + " features";
    };
    fail<config_error>(
        "network", "condition", text(found), text(condition_.features) + ", as .condition of its settings",
        found == 0 ? "Give f.given(condition), a Batch with its condition, or .condition to sample()."
                   : "Construct the network with .condition = {.features = …}.");
  }

  TimeEmbedding time_;
  Index channels_;
  ConditionSettings condition_;
  std::optional<Linear> map_;
};

}  // namespace consistency
