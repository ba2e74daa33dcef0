// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <optional>
#include <string>

#include <consistency/network/conditions.hpp>
#include <consistency/network/layer/embedding.hpp>
#include <consistency/network/parameters.hpp>

namespace consistency {

/// What a network takes beside a time.
struct ConditionSettings {
  Index features = 0;  ///< of its condition: classes, 1 + d of observations; 0: it takes none
  bool null = true;    ///< whether it is trained under the null condition too, so that it can be guided

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

/// What networks see of a time and a condition c (n, k). Either √k c W + b is added to the features of the
/// time (map_label of EDM's DDPM++; Karras et al. 2022), or c W to what the network has made of them (class
/// vectors of ADM; Dhariwal & Nichol 2021).
class ConditionEmbedding {
 public:
  /// The first: registers W and b as `name`, where there is a condition.
  ConditionEmbedding(ParameterTable& table, std::string const& name, TimeEmbedding time, Index channels,
                     ConditionSettings condition,
                     WeightDistribution distribution = WeightDistribution::fan_in)
      : ConditionEmbedding{table, time, channels, condition} {
    auto const k = condition.features;
    if (k == 0) return;
    weight_ = table.add(name + ".weight", {k, channels}, Initializer::weights(distribution, k, channels, 1));
    bias_ = table.add(name + ".bias", {channels}, Initializer::biases(distribution, k, 1));
  }
  /// The second: registers W, vectors of `embedding` numbers.
  ConditionEmbedding(ParameterTable& table, std::string const& name, TimeEmbedding time, Index channels,
                     ConditionSettings condition, Index embedding)
      : ConditionEmbedding{table, time, channels, condition} {
    auto const k = condition.features;
    if (k > 0) weight_ = table.add(name + ".weight", {k, embedding}, Initializer::variance(1));
  }

  /// next(features (n, channels)) of time (n, 1, …) and condition (n, k). Throws config_error where a
  /// condition is missing, has no place, or has another number of features.
  auto operator()(auto const& theta, auto const& beside_x, auto const& next) const {
    auto const& at = conditions_of(beside_x);
    check(at.condition.width());
    auto const time = time_(at.time, channels_);  // (n, channels)
    if (!bias_) return next(time);
    auto const scale = std::sqrt(static_cast<double>(condition_.features));
    auto const map =
        linear(scale * at.condition.features(), theta[*weight_], theta[*bias_]);  // (n, channels)
    return next(evaluated(time + map));
  }
  /// What the network has made of the features, (n, embedding), with the vectors of the condition.
  template <Value V>
  V with_vectors(auto const& theta, auto const& beside_x, V const& embedding) const {
    if (!weight_ || bias_) return embedding;
    return embedding +
           linear(conditions_of(beside_x).condition.features(), theta[*weight_]);  // (n, embedding)
  }

 private:
  ConditionEmbedding(ParameterTable& table, TimeEmbedding time, Index channels, ConditionSettings condition)
      : time_{time}, channels_{channels}, condition_{condition} {
    condition.check("ConditionEmbedding");
    condition.declare(table);
  }
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
  std::optional<ParameterId> weight_, bias_;
};

}  // namespace consistency
