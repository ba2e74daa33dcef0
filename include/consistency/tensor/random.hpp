// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include <consistency/core/check.hpp>
#include <consistency/core/device.hpp>
#include <consistency/core/random.hpp>
#include <consistency/tensor/value.hpp>

namespace consistency {

/// What random numbers follow: `of` makes four of them from four uniform numbers, scalars or SIMD packs, and
/// a backend's Kernel fills a tensor.
namespace law {

struct Normal {  ///< N(0, 1)
  template <class N>
  CONSISTENCY_HD std::array<N, 4> of(std::array<N, 4> const& u) const {
    return to_normal(u);
  }
};

struct Uniform {  ///< on (0, 1)
  template <class N>
  CONSISTENCY_HD std::array<N, 4> of(std::array<N, 4> const& u) const {
    return u;
  }
};

struct DropoutMask {  ///< 0 with probability `rate`, else 1 / (1 − rate)
  double rate;
  template <class N>
  CONSISTENCY_HD std::array<N, 4> of(std::array<N, 4> const& u) const {
    auto const low = N(rate), no = N(0.0), yes = N(1 / (1 - rate));
    auto mask = u;
    for (std::size_t i = 0; i < 4; ++i) {
      if constexpr (std::is_floating_point_v<N>) {
        mask[i] = u[i] < low ? no : yes;
      } else {
        mask[i] = select(exceeded(u[i], low), no, yes);
      }
    }
    return mask;
  }
};

}  // namespace law

/// Whether the backend of tensors T draws from a law: Kernel<Law, Backend>::fill(law, y, key, first).
template <class Law, class T>
concept DrawKernelFor = requires(Law const& law, T& y, Key key, Counter first) {
  Kernel<Law, typename T::Backend>::fill(law, y, key, first);
};

/// Draws of a law. Axis 0 counts samples, sample i of the tensor being counter sample first + i: a batch may
/// be split anywhere without changing a number. Throws config_error for more samples, or blocks of four
/// numbers in one, than 32 bits count.
template <class T, class Law>
as_tensor_t<T> draws(Law law, Shape shape, Key key, Counter first = {}) {
  using X = as_tensor_t<T>;
  static_assert(DrawKernelFor<Law, X>, "draws: this backend has no kernel of this law");
  auto const samples = shape.rank() == 0 ? Index{1} : shape[0];
  static_cast<void>(counted("random numbers", "samples", Index{first.sample}, samples));
  if (samples > 0 && shape.count() > Index{1} << 32U)
    static_cast<void>(counted("random numbers", "blocks of a sample", 0, shape.count() / samples / 4));
  X y{shape};
  TraceCall<typename X::Backend> const call;
  Kernel<Law, typename X::Backend>::fill(law, y, key, first);
  if (call) [[unlikely]]
    call.done(type_signature<Law>(), 0, y, {});
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
