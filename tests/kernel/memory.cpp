// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/core/memory.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../tensor/support.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE("attention never holds the weights of a long sequence, nor do its gradient and tangent") {
  using T = Tensor<float>;
  constexpr Index length = 4096;
  constexpr auto weights = static_cast<double>(length * length * sizeof(float));
  auto const shape = Shape{1, length, 8};
  auto const q = random<float>(shape, 1), k = random<float>(shape, 2), v = random<float>(shape, 3);
  Tape<T> tape;
  auto const watched = tape.watch(k);
  tape.backward(attention(q, watched, v), q);
  CHECK(attention(Dual<T>{q, q}, Dual<T>{k}, Dual<T>{v, v}).tangent.shape() == shape);
  CHECK(static_cast<double>(MemoryPool::instance().peak_bytes()) < weights / 2);
  auto const held = softmax(attention_scores(q, k, {}));
  CHECK(static_cast<double>(MemoryPool::instance().peak_bytes()) >= weights);
}
