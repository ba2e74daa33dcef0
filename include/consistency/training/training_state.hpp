// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include <consistency/network/parameters.hpp>
#include <consistency/tensor/cpu.hpp>

namespace consistency {

/// The whole state of a run besides its settings. Saving it and going on changes no bit.
template <class X>
struct TrainingState {
  Parameters<X> theta;
  std::optional<Parameters<X>> target;  ///< θ⁻, where the method has a target network
  Parameters<X> averaged;               ///< EMA of θ
  Parameters<X> first_moment, second_moment;
  Index step = 0;
  Key key{};
};

/// The same state in another backend's memory.
template <class To, class S, class B>
TrainingState<Tensor<S, To>> to(TrainingState<Tensor<S, B>> const& state) {
  auto const& [theta, target, averaged, first_moment, second_moment, step, key] = state;  // every field
  std::optional<Parameters<Tensor<S, To>>> target_there;
  if (target) target_there = to<To>(*target);
  return {to<To>(theta),
          std::move(target_there),
          to<To>(averaged),
          to<To>(first_moment),
          to<To>(second_moment),
          step,
          key};
}

/// visit(name, arena) for every arena of a state.
template <class X>
void for_arenas(TrainingState<X> const& state, auto const& visit) {
  visit("theta", state.theta);
  if (state.target) visit("target", *state.target);
  visit("averaged", state.averaged);
  visit("first_moment", state.first_moment);
  visit("second_moment", state.second_moment);
}

/// Throws config_error unless `arena` holds the parameters of `table`, by names, shapes, places and
/// conventions.
template <class X>
void require_layout(char const* arena, Parameters<X> const& numbers, ParameterTable const& table) {
  auto const text = [](ParameterTable const& of, Index size) {
    return of.text() + " in an arena of " + number_text(size);
  };
  if (!numbers.table().same_meaning(table) || numbers.flat().count() != table.size())
    fail<config_error>("Trainer", std::string{"parameters, "} + arena,
                       text(numbers.table(), numbers.flat().count()),
                       text(table, table.size()) + ", named and shaped as the method's network's",
                       "Take them from a run of the same network.");
}

/// The largest magnitude in an arena. Throws numeric_error, naming the parameter, for a number that is not
/// finite or, where `squares`, below 0.
template <class X>
double largest_magnitude(char const* arena, Parameters<X> const& numbers, char const* advice,
                         bool squares = false) {
  auto const flat = to<Cpu>(numbers.flat());  // (parameters)
  auto const top = static_cast<double>(largest<pointwise::Abs>(flat));
  if (std::isfinite(top) && !(squares && largest<pointwise::Negate>(flat) > 0)) return top;
  Index i = 0;
  while (std::isfinite(flat[i]) && !(squares && flat[i] < 0)) ++i;
  auto where = "number " + number_text(i);
  for (auto const& entry : numbers.table().entries())
    if (i >= entry.offset && i < entry.offset + entry.shape.count())
      where = entry.name + "[" + number_text(i - entry.offset) + "]";
  fail<numeric_error>("Trainer", std::string{arena} + ", " + where, number_text(flat[i]),
                      squares ? "a finite number of at least 0" : "a finite number", advice);
}

}  // namespace consistency
