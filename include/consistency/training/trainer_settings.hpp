// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <consistency/core/check.hpp>
#include <consistency/core/random.hpp>

namespace consistency {

struct TrainerSettings {
  double ema = 0.9999;  ///< rate of the average of θ that samples are drawn with
  /// At update k the rate is at most (1 + k) / (10 + k), so that short runs forget where they began; 0.9999
  /// is reached after 90,000. False: the rate is `ema` from the first, as in the papers' programs.
  bool ema_warmup = true;
  double clip = 0;               ///< largest gradient norm; 0: no clipping
  double condition_dropout = 0;  ///< share of samples that are trained on under the null condition
  Key key{};                     ///< of noise, times and dropout
  bool record = false;  ///< on a GPU: the gradient is recorded once for a batch's shape; not with dropout

  void check() const {
    require_rate("Trainer", "ema", ema);
    require_setting(clip >= 0, "Trainer", "clip", clip, "0 or more");
    require_rate("Trainer", "condition_dropout", condition_dropout);
  }
  /// Of the average of θ at update k = 1, 2, …
  double ema_at(Index k) const {
    auto const updates = static_cast<double>(k);
    return ema_warmup ? std::min(ema, (1 + updates) / (10 + updates)) : ema;
  }
};

}  // namespace consistency
