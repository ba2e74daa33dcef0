// SPDX-License-Identifier: MIT
#pragma once

// What policies learn from: observations, and the chunk of actions that a demonstrator takes from there on.

#include <utility>
#include <vector>

#include <consistency/data/batch.hpp>
#include <consistency/data/batches.hpp>
#include <consistency/data/normalizer.hpp>

#include "pushing.hpp"

namespace pushing {

using consistency::Index;
using X = consistency::Tensor<float>;

inline constexpr Index horizon = 8;   ///< actions of a chunk
inline constexpr Index executed = 4;  ///< of them, before the next chunk is drawn

struct Demonstrations {
  X observations;  // (n, observed)
  X chunks;        // (n, horizon, 2): actions, zero where the episode is over
  Index episodes, solved;
};

/// Every step of `episodes` episodes. What is executed is the demonstrator's action and some noise, so that
/// there are mistakes to learn to correct; what is kept is what it would do from there on without noise.
inline Demonstrations demonstrated(Index episodes, Key key) {
  constexpr double noise = 0.012;
  std::vector<float> observations, chunks;
  Index solved = 0;
  for (Index episode = 0; episode < episodes; ++episode) {
    Chance chance{key, static_cast<std::uint32_t>(episode)};
    auto now = start(chance), before = now;
    Demonstrator demonstrator{chance};
    for (int k = 0; k < most_steps && !now.solved(); ++k) {
      for (auto const number : observation(before, now)) observations.push_back(static_cast<float>(number));
      auto ahead = now;
      for (auto [i, one] = std::pair{Index{0}, demonstrator}; i < horizon; ++i) {
        auto const action = ahead.solved() ? Point{} : one.action(ahead);
        chunks.push_back(static_cast<float>(action.x));
        chunks.push_back(static_cast<float>(action.y));
        ahead = moved(ahead, action);
      }
      before = now;
      now = moved(now, demonstrator.action(now) + noise * chance.normal());
    }
    solved += now.solved();
  }
  auto const n = static_cast<Index>(observations.size()) / observed;
  Demonstrations all{X{{n, observed}}, X{{n, horizon, 2}}, episodes, solved};
  std::copy(observations.begin(), observations.end(), all.observations.mutable_data());
  std::copy(chunks.begin(), chunks.end(), all.chunks.mutable_data());
  return all;
}

/// Batch k: steps of demonstrations at random, normalised.
class DemonstrationBatches {
 public:
  DemonstrationBatches(X observations, X chunks, Index batch, Key key)
      : observations_{std::move(observations)}, chunks_{std::move(chunks)}, batch_{batch}, key_{key} {}

  consistency::Batch<X> operator()(Index k) const {
    auto const count = static_cast<std::uint32_t>(observations_.shape()[0]);
    X chunks{{batch_, horizon, 2}}, observations{{batch_, observed}};
    for (Index i = 0; i < batch_; ++i) {
      auto const at = Index{consistency::uniform_below(
          count, key_, {static_cast<std::uint32_t>(k), static_cast<std::uint32_t>(i)})};
      std::copy_n(chunks_.data() + at * horizon * 2, horizon * 2, chunks.mutable_data() + i * horizon * 2);
      std::copy_n(observations_.data() + at * observed, observed, observations.mutable_data() + i * observed);
    }
    return {std::move(chunks), consistency::Condition<X>{std::move(observations)}};
  }

 private:
  X observations_, chunks_;
  Index batch_;
  Key key_;
};

}  // namespace pushing
