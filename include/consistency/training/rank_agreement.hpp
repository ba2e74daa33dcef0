// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <consistency/distributed/ranks.hpp>
#include <consistency/training/trainer_settings.hpp>
#include <consistency/training/training_state.hpp>

namespace consistency {

/// Throws distributed_error on every rank unless all have the same parameters, settings and state, as far as
/// numbers tell. A process alone agrees with itself.
template <class X, Communicator C>
void require_agreement(Ranks<C>& ranks, auto const& method, auto const& optimizer,
                       TrainerSettings const& settings, TrainingState<X> const& state) {
  if constexpr (!Ranks<C>::alone) {
    std::string table;
    for (auto const& entry : state.theta.table().entries()) table += entry.name + entry.shape.text();
    ranks.require_same("names and shapes of parameters", std::as_bytes(std::span{table}));

    auto numbers = std::vector<double>{settings.clip, settings.condition_dropout,
                                       static_cast<double>(settings.micro_batch)};
    for (Index k = 0; k < Index{1} << 20U; k = 2 * k + 1) {
      numbers.insert(numbers.end(), {method.rate(k), method.resolution(k), settings.ema.at(k + 1)});
      for (auto const& average : settings.further_averages) numbers.push_back(average.at(k + 1));
    }
    ranks.require_same("settings of training", std::as_bytes(std::span{numbers}));
    if constexpr (requires { optimizer.text(); }) {
      std::string const text = optimizer.text();
      ranks.require_same("settings of the optimizer", std::as_bytes(std::span{text}));
    }
    ranks.require_same("noise process", std::as_bytes(std::span{state.process}));

    auto const place =
        std::vector{state.key.seed, std::uint64_t{state.key.stream}, static_cast<std::uint64_t>(state.step),
                    std::uint64_t{state.target.has_value()}};
    ranks.require_same("seed and number of steps done", std::as_bytes(std::span{place}));

    for_arenas(state, [&](std::string const& name, Parameters<X> const& arena) {
      auto const flat = to<Cpu>(arena.flat());  // (parameters)
      ranks.require_same(("parameters, " + name).c_str(), std::as_bytes(flat.values()));
    });
  }
}

}  // namespace consistency
