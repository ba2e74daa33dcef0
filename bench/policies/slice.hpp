// SPDX-License-Identifier: MIT
#pragma once

// A slice of the product of all axes: those that are given vary, the others stay as usual.

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "axes.hpp"
#include "combination.hpp"

namespace policies {

inline auto usual_process() { return axis(Named{"", VarianceExploding{}}); }
inline auto usual_metric() { return axis(Named{"", L2{}}); }

template <class Methods, class Processes = decltype(usual_process()),
          class Parameterizations = decltype(usual()), class Metrics = decltype(usual_metric()),
          class Solvers = decltype(usual()), class Times = decltype(usual()),
          class Targets = decltype(usual()), class Optimizers = decltype(usual())>
struct Slice {
  char const* name;
  Methods methods;
  Processes processes = usual_process();
  Parameterizations parameterizations = usual();
  Metrics metrics = usual_metric();
  Solvers solvers = usual();
  Times times = usual();
  Targets targets = usual();
  Optimizers optimizers = usual();

  /// How many combinations fit.
  static constexpr int count = CountChoices<Fits, std::tuple<>, Methods, Processes, Parameterizations,
                                            Metrics, Solvers, Times, Targets, Optimizers>::value;
  /// How many there would be if all fitted.
  static constexpr auto product = std::tuple_size_v<Methods> * std::tuple_size_v<Processes> *
                                  std::tuple_size_v<Parameterizations> * std::tuple_size_v<Metrics> *
                                  std::tuple_size_v<Solvers> * std::tuple_size_v<Times> *
                                  std::tuple_size_v<Targets> * std::tuple_size_v<Optimizers>;

  /// The combinations that fit.
  std::vector<Combination> combinations() const {
    std::vector<Combination> all;
    for_each_choice(
        [&]<class... P>(Named<P> const&... chosen) {
          if constexpr (Fits<P...>::value) {
            std::vector<std::string> policies;
            ((*chosen.name != '\0' ? policies.emplace_back(chosen.name), 0 : 0), ...);
            all.push_back(combination(std::move(policies), Choice<P...>{chosen.policy...}));
          }
        },
        std::tuple<>{}, methods, processes, parameterizations, metrics, solvers, times, targets, optimizers);
    return all;
  }

 private:
  template <class C>
  Combination combination(std::vector<std::string> policies, C const& c) const {
    auto const make = [c](Classroom const& room, std::uint64_t seed) -> std::unique_ptr<Model> {
      constexpr auto of_teacher = requires { requires C::Method::of_teacher; };
      constexpr auto of_two_times = requires { requires C::Method::of_two_times; };
      auto method = c.method(c, room);
      auto const optimizer = policy_or(c.optimizer, RAdam{.learning_rate = 1e-3});
      return std::make_unique<Trained<decltype(method), std::remove_const_t<decltype(optimizer)>>>(
          std::move(method), optimizer,
          of_two_times ? room.fresh_map
          : of_teacher ? room.phi
                       : room.fresh,
          seed);
    };
    constexpr auto denoises = requires { requires C::Method::denoises; };
    return {name, std::move(policies), make,
            denoises ? std::vector<Index>{1, 2, 4, 35} : std::vector<Index>{1, 2, 4, 8, 16}};
  }
};

/// Adds the combinations of a slice to the registry, before main() begins.
struct Registered {
  explicit Registered(auto const& slice) {
    for (auto& one : slice.combinations()) registry().push_back(std::move(one));
  }
};

}  // namespace policies
