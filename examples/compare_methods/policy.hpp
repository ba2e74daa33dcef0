#pragma once

// The policies that are compared: what each is made of. A policy is a value of one variant, visited once, at
// the beginning of its training.

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <consistency/consistency.hpp>

namespace compare {

using namespace consistency;

/// What every student starts with.
template <class Network>
struct Classroom {
  ConsistencyFunction<Network> f;                      ///< the student's form
  ConsistencyFunction<Network, EdmPreconditioning> D;  ///< the teacher's form, of the same parameters
  Parameters<Tensor<float>> phi;                       ///< the teacher's averaged weights
  Parameters<Tensor<float>> fresh;                     ///< random weights, for students without a teacher
  Index steps;                                         ///< K

  auto teacher() const { return TeacherVelocity{D, phi}; }
};

/// CD (Song et al. 2023, Algorithm 2).
template <class Distance, class Solver>
struct Distillation {
  Index N = 18;
  auto method(auto const& c) const {
    return ConsistencyDistillation{c.f, c.teacher(), Solver{}, Distance{}, GridTimes<FixedSteps>{{.N = N}}};
  }
  auto const& start(auto const& c) const { return c.phi; }
  auto sampler() const { return OneStep{}; }
};

/// CT (Algorithm 3) with a fixed number of grid points.
struct Training {
  Index N = 18;
  auto method(auto const& c) const { return ConsistencyTraining{c.f, L2{}, GridTimes<FixedSteps>{{.N = N}}}; }
  auto const& start(auto const& c) const { return c.fresh; }
  auto sampler() const { return OneStep{}; }
};

/// CT with N(k) and μ(k) (Appendix C). The paper's s₁ = 150 and μ₀ = 0.9 are for 800,000 steps: in a few
/// thousand a target that slow never hears of ε.
struct AdaptiveTraining {
  Index s0 = 2, s1 = 60;
  double mu0 = 0.3;
  auto method(auto const& c) const {
    return ConsistencyTraining{c.f, L2{}, GridTimes<AdaptiveSteps>{{.s0 = s0, .s1 = s1, .K = c.steps}},
                               UniformWeighting{},
                               AdaptiveEmaTarget{.s0 = static_cast<double>(s0), .mu0 = mu0}};
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
    return ProgressiveDistillation{c.D, times, L2{}};
  }
  auto const& start(auto const& c) const { return c.phi; }
  auto sampler() const { return OdeSampler<Euler>{.steps = 1, .to_zero = false}; }
};

/// CD in continuous time (Theorem 5).
struct ContinuousDistillation {
  auto method(auto const& c) const { return ContinuousConsistencyDistillation{c.f, c.teacher(), L2{}}; }
  auto const& start(auto const& c) const { return c.phi; }
  auto sampler() const { return OneStep{}; }
};

/// CT in continuous time (Theorem 6).
struct ContinuousTraining {
  auto method(auto const& c) const { return ContinuousConsistencyTraining{c.f, L2{}}; }
  auto const& start(auto const& c) const { return c.fresh; }
  auto sampler() const { return OneStep{}; }
};

struct Policy {
  std::string name;   ///< of its files, and in --policies
  std::string label;  ///< for people
  std::variant<Distillation<L2, Heun>, Distillation<L1, Heun>, Distillation<L2, Euler>,
               Distillation<L1, Euler>, Training, AdaptiveTraining, Progressive, ContinuousDistillation,
               ContinuousTraining>
      made_of;
};

inline std::vector<Policy> all_policies() {
  std::vector<Policy> all = {{"cd-l2-heun-18", "CD, L2, Heun, N = 18", Distillation<L2, Heun>{18}},
                             {"cd-l1-heun-18", "CD, L1, Heun, N = 18", Distillation<L1, Heun>{18}},
                             {"cd-l2-euler-18", "CD, L2, Euler, N = 18", Distillation<L2, Euler>{18}},
                             {"cd-l1-euler-18", "CD, L1, Euler, N = 18", Distillation<L1, Euler>{18}}};
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

}  // namespace compare
