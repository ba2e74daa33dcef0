#pragma once

#include <array>
#include <cstdint>

#include <consistency/core/device.hpp>
#include <consistency/core/random.hpp>
#include <consistency/tensor/value.hpp>

namespace consistency {

/// What random numbers follow: `block` gives four of them, and a backend's Kernel fills a tensor.
namespace law {

struct Normal {  ///< N(0, 1)
  template <class S>
  CONSISTENCY_HD std::array<S, 4> block(Key key, Counter at, std::uint32_t b) const {
    return normal_block<S>(key, at, b);
  }
};

struct Uniform {  ///< on (0, 1)
  template <class S>
  CONSISTENCY_HD std::array<S, 4> block(Key key, Counter at, std::uint32_t b) const {
    return uniform_block<S>(key, at, b);
  }
};

struct DropoutMask {  ///< 0 with probability `rate`, else 1 / (1 − rate)
  double rate;
  template <class S>
  CONSISTENCY_HD std::array<S, 4> block(Key key, Counter at, std::uint32_t b) const {
    auto const u = uniform_block<S>(key, at, b);
    std::array<S, 4> mask{};
    for (std::size_t i = 0; i < 4; ++i)
      mask[i] = u[i] < static_cast<S>(rate) ? S(0) : static_cast<S>(1 / (1 - rate));
    return mask;
  }
};

}  // namespace law

/// Draws of a law. Axis 0 counts samples, sample i of the tensor being counter sample first + i: a batch may
/// be split anywhere without changing a number.
template <class T, class Law>
as_tensor_t<T> draws(Law law, Shape shape, Key key, Counter first = {}) {
  using X = as_tensor_t<T>;
  X y{shape};
  Kernel<Law, typename X::Backend>::fill(law, y, key, first);
  return y;
}

/// N(0, 1) draws.
template <class T>
as_tensor_t<T> normal(Shape shape, Key key, Counter first = {}) {
  return draws<T>(law::Normal{}, shape, key, first);
}

/// Uniform draws on (0, 1).
template <class T>
as_tensor_t<T> uniform(Shape shape, Key key, Counter first = {}) {
  return draws<T>(law::Uniform{}, shape, key, first);
}

/// 0 with probability `rate`, else 1 / (1 − rate).
template <class T>
as_tensor_t<T> dropout_mask(Shape shape, double rate, Key key, Counter first = {}) {
  return draws<T>(law::DropoutMask{rate}, shape, key, first);
}

}  // namespace consistency
