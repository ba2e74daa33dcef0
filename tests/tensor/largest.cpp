// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <consistency/tensor/cpu.hpp>

using namespace consistency;
using pointwise::Abs, pointwise::Negate;

TEST_CASE_TEMPLATE("the largest magnitude is that of a plain loop, and NaN wherever one number is", S, float,
                   double) {
  auto const nan = std::numeric_limits<S>::quiet_NaN();
  for (Index const count : {0, 1, 2, 15, 16, 17, 33, 32768, 32769, 100003}) {
    auto x = normal<S>({1, count}, {static_cast<std::uint64_t>(count)});
    S top = 0, bottom = 0;
    for (auto const v : x.values()) {
      top = std::fmax(top, std::abs(v));
      bottom = std::fmax(bottom, -v);
    }
    CAPTURE(count);
    CHECK(largest<Abs>(x) == top);
    CHECK(largest<Negate>(x) == bottom);
    for (Index const at : {Index{0}, count / 2, count - 1})
      if (count > 0) {
        auto const before = x[at];
        x.mutable_data()[at] = nan;
        CHECK(std::isnan(largest<Abs>(x)));
        x.mutable_data()[at] = -std::numeric_limits<S>::infinity();
        CHECK(largest<Abs>(x) == std::numeric_limits<S>::infinity());
        x.mutable_data()[at] = before;
      }
  }
}
