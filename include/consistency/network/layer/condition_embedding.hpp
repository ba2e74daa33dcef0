// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include <consistency/network/conditions.hpp>
#include <consistency/network/layer/embedding.hpp>
#include <consistency/network/parameters.hpp>

namespace consistency {

/// What a network takes beside a time.
struct ConditionSettings {
  Index features = 0;  ///< of its condition: classes, 1 + d of observations; 0: it takes none
  bool null = true;    ///< whether it is trained under the null condition too, so that it can be guided
  /// Labels of what was done to an image (AugmentationSettings), which stand behind the features; a condition
  /// without them is one of an image as it was.
  Index labels = 0;
  SecondTime second_time = SecondTime::none;  ///< for a FlowMap

  void check(char const* where) const {
    require_within(where, "features of the condition", features, 0, Index{1} << 20U);
    require_within(where, "labels of the condition", labels, 0, Index{1} << 20U);
  }
  /// Enters these settings among the conventions of a network's parameters, where they say something.
  void declare(ParameterTable& table) const {
    if (second_time != SecondTime::none)
      table.add_convention({"second time", second_time == SecondTime::end ? "end" : "gap", "none"});
    if (features > 0)
      table.add_convention({"condition", text(), ConditionSettings{.features = features}.text()});
  }
  /// Whether a condition of so many features has labels. Throws config_error where it does not fit.
  bool labelled(Index found) const {
    if (found == features) return false;
    if (labels > 0 && found == features + labels) return true;
    auto const of = [](Index count) {
      return count == 0 ? std::string{"none"} : number_text(count) + " features";
    };
    fail<config_error>("network", "condition", of(found), of(features) + ", as .condition of its settings",
                       found == 0
                           ? "Give f.given(condition), a Batch with its condition, or .condition to sample()."
                           : "Construct the network with .condition = {.features = …}.");
  }
  std::string text() const {  ///< as it is written in a program
    return "{.features = " + number_text(features) + ", .null = " + (null ? "true" : "false") + "}";
  }
};

/// The names of an embedding's parameters; "" where there are none.
struct ConditionNames {
  std::string condition;
  std::string labels{};
  std::string second_time = "second_time";
  std::string frequencies{};  ///< of a Fourier embedding whose draws stand in the files
};

/// What networks see of a time and a condition c (n, k). Either √k c W + b is added to the features of the
/// time (map_label of EDM's DDPM++; Karras et al. 2022), or c W to what the network has made of them (class
/// vectors of ADM; Dhariwal & Nichol 2021). Labels of augmentation a add a A to the features of the time, and
/// a second time adds features' B; B begins as 0, so that a flow map begins as a network of (x, t).
class ConditionEmbedding {
 public:
  /// The first: registers W and b, where there is a condition.
  ConditionEmbedding(ParameterTable& table, ConditionNames const& names, TimeEmbedding time, Index channels,
                     ConditionSettings condition,
                     WeightDistribution distribution = WeightDistribution::fan_in)
      : ConditionEmbedding{
            table,
            names,
            time,
            channels,
            condition,
            Initializer::weights(distribution, std::max<Index>(1, condition.labels), channels, 1)} {
    auto const k = condition.features;
    if (k == 0) return;
    weight_ = table.add(names.condition + ".weight", {k, channels},
                        Initializer::weights(distribution, k, channels, 1));
    bias_ = table.add(names.condition + ".bias", {channels}, Initializer::biases(distribution, k, 1));
  }
  /// The second: registers W, vectors of `embedding` numbers.
  ConditionEmbedding(ParameterTable& table, ConditionNames const& names, TimeEmbedding time, Index channels,
                     ConditionSettings condition, Index embedding)
      : ConditionEmbedding{table, names, time, channels, condition, Initializer::zeros()} {
    auto const k = condition.features;
    if (k > 0) weight_ = table.add(names.condition + ".weight", {k, embedding}, Initializer::variance(1));
  }

  /// next(features (n, channels)) of time (n, 1, …) and condition (n, k). Throws config_error where a
  /// condition is missing, has no place, or has another number of features.
  auto operator()(auto const& theta, auto const& beside_x, auto const& next) const {
    auto const& at = conditions_of(beside_x);
    auto const [k, labels] = std::pair{condition_.features, condition_.labels};
    auto const labelled = condition_.labelled(at.condition.width());
    return with_times(theta, at, [&](auto const& time) {       // (n, channels)
      auto const with_condition = [&](auto const& features) {  // (n, channels)
        if (!bias_) return next(features);
        auto const scale = std::sqrt(static_cast<double>(k));
        auto const map =
            linear(scale * of(at.condition, 0, k), theta[*weight_], theta[*bias_]);  // (n, channels)
        return next(evaluated(features + map));
      };
      if (!labelled) return with_condition(time);
      auto const map = linear(of(at.condition, k, k + labels), theta[*labels_]);  // (n, channels)
      return with_condition(evaluated(time + map));
    });
  }
  /// What the network has made of the features, (n, embedding), with the vectors of the condition.
  template <Value V>
  V with_vectors(auto const& theta, auto const& beside_x, V const& embedding) const {
    if (!weight_ || bias_) return embedding;
    return embedding + linear(of(conditions_of(beside_x).condition, 0, condition_.features),
                              theta[*weight_]);  // (n, embedding)
  }

 private:
  ConditionEmbedding(ParameterTable& table, ConditionNames const& names, TimeEmbedding time, Index channels,
                     ConditionSettings condition, Initializer labels)
      : time_{time}, channels_{channels}, condition_{condition} {
    condition.check("ConditionEmbedding");
    condition.declare(table);
    if (!names.frequencies.empty() && time.kind == TimeEmbedding::Kind::fourier)
      frequencies_ = table.add_constant(names.frequencies, {channels / 2}, {.deviation = time.scale});
    if (condition.labels > 0)
      labels_ = table.add(names.labels + ".weight", {condition.labels, channels}, labels);
    if (condition.second_time != SecondTime::none)
      second_ = table.add(names.second_time + ".weight", {channels, channels}, Initializer::zeros());
  }

  /// next(features of the time, and of the second one where there is one (n, channels))
  auto with_times(auto const& theta, auto const& at, auto const& next) const {
    check_second(at.end.defined());
    return with_time(theta, at.time, [&](auto const& first) {  // (n, channels)
      if (!second_) return next(first);
      auto const gap = condition_.second_time == SecondTime::gap;
      auto const add = [&](auto const& features) {  // (n, channels)
        return next(evaluated(first + linear(features, theta[*second_])));
      };
      if (gap) return with_time(theta, at.time - at.end, add);
      return with_time(theta, at.end, add);
    });
  }
  /// next(features of a time (n, channels))
  auto with_time(auto const& theta, Operand auto const& time, auto const& next) const {
    if (!frequencies_) return next(time_(time, channels_));
    return next(time_(time, stop_gradient(theta[*frequencies_])));
  }

  void check_second(bool given) const {
    auto const takes = condition_.second_time != SecondTime::none;
    if (given == takes) return;
    fail<config_error>("network", "second time", given ? "c_noise(r)" : "none",
                       takes ? "c_noise(r), as .condition.second_time of its settings" : "none",
                       takes ? "Use the network in a FlowMap."
                             : "Construct the network with .condition = {.second_time = SecondTime::gap}.");
  }

  /// Features begin … end − 1 of a condition (n, k).
  template <class X>
  static X of(Condition<X> const& condition, Index begin, Index end) {
    return end - begin == condition.width() ? condition.features()
                                            : X(slice(condition.features(), begin, end));
  }

  TimeEmbedding time_;
  Index channels_;
  ConditionSettings condition_;
  std::optional<ParameterId> weight_, bias_, labels_, second_, frequencies_;
};

}  // namespace consistency
