// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/editing/edit.hpp>

namespace consistency {

/// Images after strokes of colour y (m, …): noise is added to y up to the first time, which decides how much
/// of it is kept, and nothing is put back (Meng et al. 2022; Song et al. 2023, Appendix D, with times 5.38
/// and 2.24). Returns (m · results, …); throws as Edit does, and config_error where no times are given.
template <class X>
X stroke_guided(auto const& f, auto const& theta, X y,
                EditSettings const& settings = {.times = {5.38, 2.24}}) {
  if (settings.times.empty())
    fail<config_error>("stroke_guided", "times", "none", "one or more", "The paper's are 5.38 and 2.24.");
  X const all{Shape{1}, typename X::Scalar(1)};
  return detail::edited(f, theta, Edit<X>{.y = std::move(y), .mask = all, .from_y = true}, settings);
}

}  // namespace consistency
