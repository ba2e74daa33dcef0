// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <consistency/network/parameters.hpp>
#include <consistency/tensor/moment_step.hpp>

namespace consistency {

/// Update k of a part of the parameters that lies together: views of what an optimizer reads and writes.
template <class X>
struct Update {
  Index k;                 ///< 1, 2, …
  double scale;            ///< of the gradient, where it is clipped
  X gradient;              // (p)
  X theta;                 // (p): to be written
  std::array<X, 8> state;  // (p) each, to be written: the arenas that the optimizer names, in its order
  std::span<ParameterTable::Entry const> entries;  ///< the parameters in it
  Index offset = 0;                                ///< of it in the arena of all parameters
  /// Averages of θ, for an optimizer that makes them in its own pass; undefined ones are skipped.
  std::array<typename MomentUpdate<X>::Average, 2> averages{};

  /// The same of some of these parameters, with `states` of the state.
  Update part(std::span<ParameterTable::Entry const> some, std::span<std::size_t const> states) const {
    auto const begin = some.front().offset - offset;
    auto const size = some.back().offset + some.back().shape.count() - some.front().offset;
    auto const view = [&](X const& x) { return x.view(begin, Shape{size}); };
    Update of{k, scale, view(gradient), view(theta), {}, some, some.front().offset, {}};
    for (std::size_t i = 0; i < states.size(); ++i) of.state[i] = view(state[states[i]]);
    return of;
  }
};

/// Whether names can stand in a checkpoint beside theta, target and averages: few, each once, without a
/// comma.
template <std::size_t N>
constexpr bool names_of_state(std::array<std::string_view, N> const& names) {
  for (auto at = names.begin(); at != names.end(); ++at)
    if (at->empty() || at->find(',') != at->npos || at->starts_with("averaged") || *at == "theta" ||
        *at == "target" || std::find(names.begin(), at, *at) != at)
      return false;
  return N <= 8;
}

/// Settings, the names of the state that it keeps for every parameter, and the update of both: u.theta and
/// u.state are written. `state_names` is a constexpr array of at most eight names; all begin as zeros, and
/// what is called second_moment is never below 0. Models: Adam, RAdam, AdamW, Sgd, Muon, Frozen, Groups.
/// docs/concepts/optimizer.md
template <class O, class X = Tensor<float>>
concept Optimizer = requires(O const& optimizer, Update<X>& u) {
  requires names_of_state(O::state_names);
  optimizer.update(u);
};

/// An optimizer of Adam's family: an update is one pass by these coefficients, which makes averages of θ too.
template <class O>
concept MomentOptimizer = Optimizer<O> && requires(O const& optimizer, Index k) {
  { optimizer.at(k) } -> std::same_as<MomentStep>;
};

/// The state of Adam's family.
inline constexpr auto moment_names = std::array<std::string_view, 2>{"first_moment", "second_moment"};

/// An update of Adam's family.
template <class X>
void apply_moments(MomentStep const& step, Update<X>& u) {
  moment_update(MomentUpdate<X>{.step = step,
                                .gradient_scale = u.scale,
                                .gradient = u.gradient,
                                .first_moment = u.state[0],
                                .second_moment = u.state[1],
                                .theta = u.theta,
                                .averages = u.averages});
}

}  // namespace consistency
