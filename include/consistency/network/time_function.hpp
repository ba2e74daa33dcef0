// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/network/layer/embedding.hpp>
#include <consistency/network/layer/linear.hpp>

namespace consistency {

/// A learned number for each time: a linear map of features of it that begins as 0.
class TimeFunction {
 public:
  /// Registers its parameters under `name`. Throws config_error for channels that are odd, or none.
  TimeFunction(ParameterTable& table, std::string const& name, TimeEmbedding time, Index channels)
      : time_{time}, channels_{channels}, map_{table, name, channels, 1, 0} {
    time.check(channels);
  }

  /// time (n, 1, …) → (n, 1)
  auto operator()(auto const& theta, Operand auto const& time) const {
    return map_(theta, time_(time, channels_));
  }

 private:
  TimeEmbedding time_;
  Index channels_;
  Linear map_;
};

}  // namespace consistency
