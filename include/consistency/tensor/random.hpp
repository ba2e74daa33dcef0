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
namespace distribution {

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

}  // namespace distribution

/// Whether the backend of tensors T draws from a distribution, by fill(distribution, y, key, first) of its
/// Kernel<Distribution, Backend>.
template <class Distribution, class T>
concept DrawKernelFor = requires(Distribution const& distribution, T& y, Key key, Counter first) {
  Kernel<Distribution, typename T::Backend>::fill(distribution, y, key, first);
};

/// Draws of a distribution. Axis 0 counts samples, sample i of the tensor being counter sample first + i: a
/// batch may be split anywhere without changing a number. Throws config_error for more samples, or blocks of
/// four numbers in one, than 32 bits count.
template <class T, class Distribution>
as_tensor_t<T> draws(Distribution distribution, Shape shape, Key key, Counter first = {}) {
  using X = as_tensor_t<T>;
  static_assert(DrawKernelFor<Distribution, X>, "draws: this backend has no kernel of this distribution");
  auto const samples = shape.rank() == 0 ? Index{1} : shape[0];
  static_cast<void>(counted("random numbers", "samples", Index{first.sample}, samples));
  if (samples > 0 && shape.count() > Index{1} << 32U)
    static_cast<void>(counted("random numbers", "blocks of a sample", 0, shape.count() / samples / 4));
  X y{shape};
  TraceCall<typename X::Backend> const call;
  Kernel<Distribution, typename X::Backend>::fill(distribution, y, key, first);
  if (call) [[unlikely]]
    call.done(type_signature<Distribution>(), 0, y, {});
  return y;
}

/// N(0, 1) draws.
template <class T>
as_tensor_t<T> normal(Shape shape, Key key, Counter first = {}) {
  return draws<T>(distribution::Normal{}, shape, key, first);
}

/// Uniform draws on (0, 1).
template <class T>
as_tensor_t<T> uniform(Shape shape, Key key, Counter first = {}) {
  return draws<T>(distribution::Uniform{}, shape, key, first);
}

/// 0 with probability `rate`, else 1 / (1 − rate).
template <class T>
as_tensor_t<T> dropout_mask(Shape shape, double rate, Key key, Counter first = {}) {
  return draws<T>(distribution::DropoutMask{rate}, shape, key, first);
}

}  // namespace consistency
