// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <consistency/network/parameters.hpp>
#include <consistency/tensor/cpu.hpp>

namespace consistency {

/// An arena of a state under its name in files and errors.
template <class X>
struct NamedArena {
  std::string name;
  Parameters<X> numbers;
};

/// visit(name, arena) for every arena of a state.
template <class State>
void for_arenas(State& state, auto const& visit) {
  visit(std::string{"theta"}, state.theta);
  if (state.target) visit(std::string{"target"}, *state.target);
  visit(std::string{"averaged"}, state.averaged);
  for (auto& [name, arena] : state.averages) visit(name, arena);
  for (auto& [name, arena] : state.optimizer) visit(name, arena);
}

/// The whole state of a run besides its settings. Saving it and going on changes no bit.
template <class X>
struct TrainingState {
  Parameters<X> theta;
  std::optional<Parameters<X>> target;   ///< θ⁻, where the method has a target network
  Parameters<X> averaged;                ///< of θ, what is sampled
  std::vector<NamedArena<X>> averages;   ///< further ones: averaged_2, averaged_3, …
  std::vector<NamedArena<X>> optimizer;  ///< what the optimizer keeps, by its names
  Index step = 0;
  Key key{};
  std::string process;  ///< the noise process of f as text; empty: not known

  /// The arena of a name: theta, target, averaged or one of the lists. Throws config_error where there is
  /// none.
  Parameters<X> const& at(std::string_view name) const {
    Parameters<X> const* found = nullptr;
    for_arenas(*this, [&](std::string const& each, Parameters<X> const& arena) {
      if (each == name) found = &arena;
    });
    if (found == nullptr)
      fail<config_error>("TrainingState", "name of an arena", printable(name), "one that the state has");
    return *found;
  }
  Parameters<X>& at(std::string_view name) {
    return const_cast<Parameters<X>&>(std::as_const(*this).at(name));  // NOLINT: this state is not const
  }
};

/// The same state in another backend's memory.
template <class To, class S, class B>
TrainingState<Tensor<S, To>> to(TrainingState<Tensor<S, B>> const& state) {
  auto const& [theta, target, averaged, averages, optimizer, step, key, process] = state;  // every field
  auto const there = [](std::vector<NamedArena<Tensor<S, B>>> const& arenas) {
    std::vector<NamedArena<Tensor<S, To>>> copies;
    copies.reserve(arenas.size());
    for (auto const& [name, numbers] : arenas) copies.push_back({name, to<To>(numbers)});
    return copies;
  };
  std::optional<Parameters<Tensor<S, To>>> target_there;
  if (target) target_there = to<To>(*target);
  return {
      to<To>(theta), std::move(target_there), to<To>(averaged), there(averages), there(optimizer), step, key,
      process};
}

/// Overwrites the numbers of a state by those of one of the same arenas.
template <class X>
void assign_arenas(TrainingState<X>& state, TrainingState<X> const& from) {
  state.theta.flat().assign(from.theta.flat());
  if (state.target) state.target->flat().assign(from.target->flat());
  state.averaged.flat().assign(from.averaged.flat());
  for (std::size_t i = 0; i < state.averages.size(); ++i)
    state.averages[i].numbers.flat().assign(from.averages[i].numbers.flat());
  for (std::size_t i = 0; i < state.optimizer.size(); ++i)
    state.optimizer[i].numbers.flat().assign(from.optimizer[i].numbers.flat());
}

/// Throws config_error unless `arena` holds the parameters of `table`, by names, shapes, places and
/// conventions.
template <class X>
void require_layout(std::string const& arena, Parameters<X> const& numbers, ParameterTable const& table) {
  auto const text = [](ParameterTable const& of, Index size) {
    return of.text() + " in an arena of " + number_text(size);
  };
  if (!numbers.table().same_meaning(table) || numbers.flat().count() != table.size())
    fail<config_error>("Trainer", "parameters, " + arena, text(numbers.table(), numbers.flat().count()),
                       text(table, table.size()) + ", named and shaped as the method's network's",
                       "Take them from a run of the same network.");
}

/// The largest magnitude in an arena. Throws numeric_error, naming the parameter, for a number that is not
/// finite or, where `squares`, below 0.
template <class X>
double largest_magnitude(std::string const& arena, Parameters<X> const& numbers, char const* advice,
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
  fail<numeric_error>("Trainer", arena + ", " + where, number_text(flat[i]),
                      squares ? "a finite number of at least 0" : "a finite number", advice);
}

}  // namespace consistency
