// SPDX-License-Identifier: MIT
#pragma once

#include <iterator>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/core/random.hpp>
#include <consistency/training/average.hpp>

namespace consistency {

struct TrainerSettings {
  Average ema = 0.9999;  ///< the average of θ that samples are drawn with; a number is Average::warm_up
  std::vector<Average> further_averages = {};  ///< beside it, at one pass over θ each
  double clip = 0;                             ///< largest gradient norm; 0: no clipping
  double condition_dropout = 0;  ///< share of samples that are trained on under the null condition
  Index micro_batch =
      0;      ///< samples whose gradient is computed at a time, added up over the batch; 0: all at once
  Key key{};  ///< of noise, times and dropout
  bool record = false;  ///< on a GPU: the gradient is recorded once for a batch's shape; not with dropout

  void check() const {
    ema.check();
    require_within("Trainer", "number of further averages", std::ssize(further_averages), 0, 64);
    for (auto const& average : further_averages) average.check();
    require_setting(clip >= 0, "Trainer", "clip", clip, "0 or more");
    require_rate("Trainer", "condition_dropout", condition_dropout);
    require_setting(micro_batch >= 0, "Trainer", "micro_batch", static_cast<double>(micro_batch),
                    "0 or more");
    require_setting(micro_batch == 0 || !record, "Trainer", "record with micro_batch", 1,
                    "a recorded gradient of whole batches, or micro-batches that are not recorded");
  }
};

}  // namespace consistency
