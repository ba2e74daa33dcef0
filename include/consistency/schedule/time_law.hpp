#pragma once

#include <concepts>

#include <consistency/core/random.hpp>
#include <consistency/schedule/karras.hpp>

namespace consistency {

/// Which interval [t_n, t_{n+1}] of a grid of N points a sample trains on: n ∈ {1, …, N − 1}.
/// Models: UniformLaw, LogNormalLaw. docs/concepts/schedule.md
template <class L>
concept TimeLaw = requires(L const& law, KarrasGrid const& grid, Index points, Key key, Counter at) {
  { law.interval(grid, points, key, at) } -> std::same_as<Index>;
};

}  // namespace consistency
