// SPDX-License-Identifier: MIT
#pragma once

// The policies that are compared: what each is made of. A policy is a value of one variant, visited once, at
// the beginning of its training.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <consistency/consistency.hpp>
#include <consistency/metric/lpips.hpp>
#include <consistency/network/feature_extractor.hpp>
#include <consistency/network/resnet20.hpp>

namespace compare {

using namespace consistency;

/// A ResNet-20 of CIFAR-10 on grey images of any size.
struct GreyResNet20 {
  FeatureExtractor<ResNet20> network;

  auto operator()(Operand auto const& x) const { return network(resize(x, 32, 32)); }
};
using Perceptual = Lpips<GreyResNet20>;

/// What every student starts with.
template <class Network>
struct Classroom {
  ConsistencyFunction<Network> f;        ///< the student's form
  Denoiser<Network> D;                   ///< the teacher's form, of the same parameters
  Parameters<Tensor<float>> phi;         ///< the teacher's averaged weights
  Parameters<Tensor<float>> fresh;       ///< random weights, for students without a teacher
  Index steps;                           ///< K
  std::optional<Perceptual> perceptual;  ///< the metric of `PerceptualDistillation`

  auto teacher() const { return TeacherVelocity{D, phi}; }
};

/// CD (Song et al. 2023, Algorithm 2).
template <class Distance, class Solver>
struct Distillation {
  Index N = 18;
  auto method(auto const& c) const {
    return ConsistencyDistillation{.f = c.f,
                                   .velocity = c.teacher(),
                                   .solver = Solver{},
                                   .metric = Distance{},
                                   .times = GridTimes<FixedSteps>{{.N = N}}};
  }
  auto const& start(auto const& c) const { return c.phi; }
  auto sampler() const { return OneStep{}; }
};

/// CD with LPIPS over the features of a trained network.
template <class Solver>
struct PerceptualDistillation {
  Index N = 18;
  auto method(auto const& c) const {
    return ConsistencyDistillation{.f = c.f,
                                   .velocity = c.teacher(),
                                   .solver = Solver{},
                                   .metric = c.perceptual.value(),
                                   .times = GridTimes<FixedSteps>{{.N = N}}};
  }
  auto const& start(auto const& c) const { return c.phi; }
  auto sampler() const { return OneStep{}; }
};

/// CT (Algorithm 3) with a fixed number of grid points.
struct Training {
  Index N = 18;
  auto method(auto const& c) const {
    return ConsistencyTraining{.f = c.f, .metric = L2{}, .times = GridTimes<FixedSteps>{{.N = N}}};
  }
  auto const& start(auto const& c) const { return c.fresh; }
  auto sampler() const { return OneStep{}; }
};

/// CT with N(k) and μ(k) (Appendix C). The paper's s₁ = 150 and μ₀ = 0.9 are for 800,000 steps: in a few
/// thousand steps a target that slow does not reach what the student learns at ε.
struct AdaptiveTraining {
  Index s0 = 2, s1 = 60;
  double mu0 = 0.3;
  auto method(auto const& c) const {
    return ConsistencyTraining{.f = c.f,
                               .metric = L2{},
                               .times = GridTimes<AdaptiveSteps>{{.s0 = s0, .s1 = s1, .K = c.steps}},
                               .weighting = UniformWeighting{},
                               .target = AdaptiveEmaTarget{.s0 = static_cast<double>(s0), .mu0 = mu0}};
  }
  auto const& start(auto const& c) const { return c.fresh; }
  auto sampler() const { return OneStep{}; }
};

/// PD: as many stages of equal length as halve `first` steps to one.
struct Progressive {
  Index first = 64;
  auto method(auto const& c) const {
    auto times = ProgressiveTimes{.start = first};
    times.stage_steps = std::max<Index>(1, c.steps / times.stages());
    return ProgressiveDistillation{.f = c.D, .metric = L2{}, .times = times};
  }
  auto const& start(auto const& c) const { return c.phi; }
  auto sampler() const { return OdeSampler<Euler>{.steps = 1, .to_zero = false}; }
};

/// CD in continuous time (Theorem 5).
struct ContinuousDistillation {
  auto method(auto const& c) const {
    return ContinuousConsistencyDistillation{.f = c.f, .velocity = c.teacher(), .metric = L2{}};
  }
  auto const& start(auto const& c) const { return c.phi; }
  auto sampler() const { return OneStep{}; }
};

/// CT in continuous time (Theorem 6).
struct ContinuousTraining {
  auto method(auto const& c) const { return ContinuousConsistencyTraining{.f = c.f, .metric = L2{}}; }
  auto const& start(auto const& c) const { return c.fresh; }
  auto sampler() const { return OneStep{}; }
};

struct Policy {
  std::string name;   ///< of its files, and in --policies
  std::string label;  ///< for people
  std::variant<Distillation<L2, Heun>, Distillation<L1, Heun>, Distillation<L2, Euler>,
               Distillation<L1, Euler>, PerceptualDistillation<Heun>, PerceptualDistillation<Euler>, Training,
               AdaptiveTraining, Progressive, ContinuousDistillation, ContinuousTraining>
      made_of;
};

/// `perceptual`: with those that need a trained network.
inline std::vector<Policy> all_policies(bool perceptual) {
  std::vector<Policy> all = {{"cd-l2-heun-18", "CD, L2, Heun, N = 18", Distillation<L2, Heun>{18}},
                             {"cd-l1-heun-18", "CD, L1, Heun, N = 18", Distillation<L1, Heun>{18}},
                             {"cd-l2-euler-18", "CD, L2, Euler, N = 18", Distillation<L2, Euler>{18}},
                             {"cd-l1-euler-18", "CD, L1, Euler, N = 18", Distillation<L1, Euler>{18}}};
  if (perceptual) {
    all.push_back({"cd-lpips-heun-18", "CD, LPIPS, Heun, N = 18", PerceptualDistillation<Heun>{18}});
    all.push_back({"cd-lpips-euler-18", "CD, LPIPS, Euler, N = 18", PerceptualDistillation<Euler>{18}});
  }
  for (Index const N : {9, 12, 36}) {
    auto const n = std::to_string(N);
    all.push_back({"cd-l2-heun-" + n, "CD, L2, Heun, N = " + n, Distillation<L2, Heun>{N}});
    all.push_back({"cd-l2-euler-" + n, "CD, L2, Euler, N = " + n, Distillation<L2, Euler>{N}});
  }
  for (Index const N : {9, 18, 60}) {
    auto const n = std::to_string(N);
    all.push_back({"ct-l2-" + n, "CT, L2, N = " + n, Training{N}});
  }
  all.push_back({"ct-l2-adaptive", "CT, L2, N and μ adaptive", AdaptiveTraining{}});
  all.push_back({"pd-l2", "PD, L2", Progressive{}});
  all.push_back({"continuous-cd-l2", "continuous CD, L2", ContinuousDistillation{}});
  all.push_back({"continuous-ct-l2", "continuous CT, L2", ContinuousTraining{}});
  return all;
}

/// Those of `names`, or all where there are none. Throws config_error for one that needs a perceptual metric
/// where there is none.
inline std::vector<Policy> chosen_policies(std::vector<std::string> const& names, bool perceptual) {
  auto policies = all_policies(perceptual);
  if (names.empty()) return policies;
  auto const has = [](auto const& range, auto const& same) {
    return std::any_of(range.begin(), range.end(), same);
  };
  for (auto const& name : names)
    if (!has(policies, [&](Policy const& policy) { return policy.name == name; }))
      fail<config_error>("--policies", name, "no network for its features", "a trained network",
                         "Name its file with --perceptual.");
  std::erase_if(policies, [&](Policy const& policy) {
    return !has(names, [&](std::string const& name) { return policy.name == name; });
  });
  return policies;
}

}  // namespace compare
