// SPDX-License-Identifier: MIT
#pragma once

// A combination of policies as a value: what is compiled of it is behind virtual functions.

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "loss_floor.hpp"
#include "methods.hpp"

namespace policies {

/// A model in training.
class Model {
 public:
  Model() = default;
  Model(Model const&) = delete;
  Model& operator=(Model const&) = delete;
  virtual ~Model() = default;
  virtual StepReport step(Tensor<float> const& batch) = 0;
  /// Samples (count, d) of the averaged weights, by so many evaluations of the network each.
  virtual Tensor<float> draw(Index evaluations, SampleSettings const& settings) const = 0;
  /// The loss that the exact flow map would have on this batch, NaN where it is not known or 0.
  virtual double floor(Classroom const& room, Tensor<float> const& batch) const = 0;
};

/// Algorithm 1, with middle noise levels in geometric progression from the largest down to 0.821.
template <class N, class P, class Process>
Tensor<float> draw(ConsistencyFunction<N, P, Process> const& f, Parameters<Tensor<float>> const& theta,
                   Index evaluations, SampleSettings const& settings) {
  auto const largest = f.process().sigma(f.process().range().largest);
  auto sampler = Multistep{.times = {}};
  for (Index i = 1; i < evaluations; ++i)
    sampler.times.push_back(f.process().time(
        largest * std::pow(0.821 / largest, static_cast<double>(i) / static_cast<double>(evaluations - 1))));
  return sample(f, theta, sampler, settings);
}
/// As many jumps as evaluations.
template <class N, class P, class Process>
Tensor<float> draw(FlowMap<N, P, Process> const& X, Parameters<Tensor<float>> const& theta, Index evaluations,
                   SampleSettings const& settings) {
  return sample(X, theta, FlowMapSampler{.steps = evaluations}, settings);
}
/// Up to four steps of Euler's method, or more evaluations by Heun's.
template <class N, class P, class Process>
Tensor<float> draw(Denoiser<N, P, Process> const& D, Parameters<Tensor<float>> const& theta,
                   Index evaluations, SampleSettings const& settings) {
  if (evaluations <= 4)
    return sample(D, theta, OdeSampler<Euler>{.steps = evaluations, .to_zero = false}, settings);
  return sample(D, theta, OdeSampler<Heun>{.steps = (evaluations + 1) / 2}, settings);
}

template <class M, class O>
class Trained final : public Model {
 public:
  Trained(M method, O optimizer, Parameters<Tensor<float>> const& theta, std::uint64_t seed)
      : trainer_{std::move(method), optimizer, theta, {.ema = 0.99, .clip = 1, .key = {seed}}} {}
  StepReport step(Tensor<float> const& batch) override { return trainer_.step(batch); }
  Tensor<float> draw(Index evaluations, SampleSettings const& settings) const override {
    return policies::draw(trainer_.method().f, trainer_.averaged(), evaluations, settings);
  }
  double floor(Classroom const& room, Tensor<float> const& batch) const override {
    return loss_floor(trainer_.method(), room, batch);
  }

 private:
  Trainer<M, O> trainer_;
};

struct Combination {
  std::string slice;
  std::vector<std::string> policies;  ///< one per axis that the slice varies
  std::function<std::unique_ptr<Model>(Classroom const&, std::uint64_t seed)> make;
  std::vector<Index> evaluations;  ///< that samples are drawn with, each

  std::string name() const {
    auto text = slice + "/";
    for (auto const& policy : policies) text += (text.back() == '/' ? "" : "+") + policy;
    return text;
  }
};

/// All combinations that are linked.
inline std::vector<Combination>& registry() {
  static std::vector<Combination> all;
  return all;
}

}  // namespace policies
