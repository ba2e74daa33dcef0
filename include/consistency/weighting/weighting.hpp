// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>

#include <consistency/process/variance_exploding.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

namespace detail {

template <class W>
concept WeightsOne = requires(W const& w, Tensor<float> const& t) {
  { w(t) } -> Operand;
};
template <class W>
concept WeightsPair = requires(W const& w, Tensor<float> const& t) {
  { w(t, t) } -> Operand;
};
template <class W>
concept WeightsOnProcess = requires(W const& w, VarianceExploding process, Tensor<float> const& t) {
  { w(process, t) } -> Operand;
};

}  // namespace detail

/// The weight of a sample's distance from its times, (n, 1, …, 1) each: w(t, r) in methods that draw two,
/// w(t), or w(process, t), in those that draw one. Models: UniformWeighting, InverseGapWeighting (two);
/// UniformWeighting, EdmWeighting, TruncatedSnrWeighting, GridSpeedWeighting (one).
/// docs/concepts/weighting.md
template <class W, std::size_t Times>
concept Weighting = (Times == 2 && detail::WeightsPair<W>) ||
                    (Times == 1 && (detail::WeightsOne<W> || detail::WeightsOnProcess<W>));

/// Whether W weights times of that process: one that is made for a single process names it, `using Process`.
template <class W, class Process>
inline constexpr bool weights_times_of =
    !requires { typename W::Process; } || requires { requires std::same_as<typename W::Process, Process>; };

/// The weight of one time.
template <Weighting<1> W>
auto weight_at(W const& weighting, NoiseProcess auto const& process, Operand auto const& t) {
  if constexpr (detail::WeightsOne<W>)
    return weighting(t);
  else
    return weighting(process, t);
}

}  // namespace consistency
