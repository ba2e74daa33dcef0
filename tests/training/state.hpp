// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/training/trainer.hpp>

#include "../support/compare.hpp"

namespace consistency::test {

/// Every number of two runs' states has the same bits.
template <class X>
bool same_state(TrainingState<X> const& a, TrainingState<X> const& b) {
  return same_bits(a.theta.flat(), b.theta.flat()) && a.target.has_value() == b.target.has_value() &&
         (!a.target || same_bits(a.target->flat(), b.target->flat())) &&
         same_bits(a.averaged.flat(), b.averaged.flat()) &&
         same_bits(a.at("first_moment").flat(), b.at("first_moment").flat()) &&
         same_bits(a.at("second_moment").flat(), b.at("second_moment").flat()) && a.step == b.step &&
         a.key == b.key;
}

}  // namespace consistency::test
