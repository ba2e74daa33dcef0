// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <doctest/doctest.h>

#include <consistency/optimizer/adam.hpp>
#include <consistency/tensor/random.hpp>
#include <consistency/training/trainer.hpp>

#include "counts.hpp"

namespace consistency::test {

/// Steps 3 to 10 of a method of two-dimensional data ask for nothing.
template <class M>
void check_steps(M method) {
  auto const theta = method.f.initialize({1});
  auto trainer = Trainer{std::move(method), Adam{}, theta};
  Tensor<float> const batch = 0.5 * normal<float>({16, 2}, {2});
  for (int i = 0; i < 2; ++i) trainer.step(batch);
  auto const before = now();
  for (int i = 0; i < 8; ++i) trainer.step(batch);
  auto const after = now();
  CHECK(after.heap - before.heap == 0);
  CHECK(after.pool - before.pool == 0);
}

}  // namespace consistency::test
