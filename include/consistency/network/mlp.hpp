// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <consistency/network/layer/condition_embedding.hpp>
#include <consistency/network/layer/linear.hpp>
#include <consistency/network/mode.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/network/summary.hpp>

namespace consistency {

struct MlpSettings {
  Index dimensions = 2;  ///< of the data
  Index width = 128;     ///< of every hidden layer
  Index layers = 3;      ///< hidden layers, 1 to 1024
  Index embedding = 32;  ///< channels of the time embedding, even
  TimeEmbedding time{.scale = 4};
  ConditionSettings condition{};
};

/// A perceptron for vectors: (n, d) and times (n, 1) to (n, d). Every hidden layer sees the embedding of time
/// and condition.
class Mlp {
 public:
  /// Throws config_error for sizes that are not from 1 to max_channels / 2, or an odd embedding.
  explicit Mlp(MlpSettings settings = {}) : settings_{settings} {
    auto const outside = [](Index size, Index most) { return size < 1 || size > most; };
    constexpr auto widest = max_channels / 2;
    if (outside(settings.dimensions, widest) || outside(settings.width, widest) ||
        outside(settings.layers, 1024) || outside(settings.embedding, widest) || settings.embedding % 2 != 0)
      fail<config_error>("Mlp", "settings",
                         "dimensions " + number_text(settings.dimensions) + ", width " +
                             number_text(settings.width) + ", layers " + number_text(settings.layers) +
                             ", embedding " + number_text(settings.embedding),
                         "dimensions, width and an even embedding from 1 to " + number_text(widest) +
                             ", layers from 1 to 1024");
    settings.time.check(settings.embedding);
    settings.time.declare(table_);
    embedding_.emplace(table_, ConditionNames{.condition = "condition", .labels = "augmentation"},
                       settings.time, settings.embedding, settings.condition);
    auto in = settings.dimensions;
    for (Index i = 0; i < settings.layers; ++i) {
      hidden_.emplace_back(table_, "hidden" + number_text(i), in + settings.embedding, settings.width, 1.4);
      in = settings.width;
    }
    out_.emplace(table_, "out", in, settings.dimensions, 1e-1);
  }

  ParameterTable const& parameters() const noexcept { return table_; }
  std::string summary() const { return consistency::summary(table_); }  ///< a table of its layers
  MlpSettings const& settings() const noexcept { return settings_; }
  Shape data_shape() const { return {settings_.dimensions}; }  ///< of one sample

  /// F_θ(x, conditions) with x (n, d); the time is c_noise(t), (n, 1).
  auto operator()(auto const& theta, Value auto const& x, auto const& at, Mode const& = {}) const {
    return (*embedding_)(theta, at, [&](auto const& embedding) {          // (n, embedding)
      auto h = evaluated(silu(hidden_[0](theta, concat(x, embedding))));  // (n, width)
      for (std::size_t i = 1; i < hidden_.size(); ++i)
        h = silu(hidden_[i](theta, concat(h, embedding)));  // (n, width)
      return (*out_)(theta, h);                             // (n, d)
    });
  }

 private:
  MlpSettings settings_;
  ParameterTable table_;
  std::optional<ConditionEmbedding> embedding_;
  std::vector<Linear> hidden_;
  std::optional<Linear> out_;
};

}  // namespace consistency
