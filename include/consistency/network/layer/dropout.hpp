// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/network/mode.hpp>
#include <consistency/tensor/functions.hpp>
#include <consistency/tensor/random.hpp>

namespace consistency {

/// Dropout whose mask is a function of (key, layer, step, sample): the same for student and target, for any
/// batch split, and after a resume.
class Dropout {
 public:
  /// rate in [0, 1); throws config_error otherwise. `layer` tells the masks of one network apart.
  Dropout(double rate, std::uint32_t layer) : rate_{rate}, layer_{layer} {
    if (!(rate >= 0 && rate < 1))
      fail<config_error>("Dropout", "rate", number_text(rate), "[0, 1)", "0 switches dropout off.");
  }

  /// x of any shape → the same shape.
  template <Value X>
  X operator()(X const& x, Mode const& mode) const {
    if (!mode.training || rate_ == 0) return x;
    if (mode.recorded)
      fail<config_error>("Dropout", "dropout in recorded training", "rate " + number_text(rate_),
                         "0: a recording would use the first step's mask in each",
                         "Leave TrainerSettings::record false, or dropout out.");
    using T = tensor_of_t<X>;
    auto const key = mode.key.with_stream(stream::dropout + (layer_ << 8U));
    T const mask = dropout_mask<T>(x.shape(), rate_, key, mode.first);  // as x
    return x * mask;                                                    // as x
  }

 private:
  double rate_;
  std::uint32_t layer_;
};

}  // namespace consistency
