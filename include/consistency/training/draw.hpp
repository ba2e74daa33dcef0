#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// The times of a batch, (n, 1, …, 1) each: draw(at) gives those of one sample, larger ones first, from the
/// sample's own counter.
template <class X, std::size_t Times>
std::array<X, Times> draw_times(Shape const& shape, Counter first, auto const& draw) {
  std::array<X, Times> times;
  for (auto& t : times) t = X{shape.per_sample()};
  for (Index i = 0; i < shape[0]; ++i) {
    std::array<double, Times> const drawn =
        draw(Counter{first.step, first.sample + static_cast<std::uint32_t>(i)});
    for (std::size_t j = 0; j < Times; ++j)
      times[j].mutable_data()[i] = static_cast<typename X::Scalar>(drawn[j]);
  }
  return times;
}

}  // namespace consistency
