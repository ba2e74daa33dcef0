// SPDX-License-Identifier: MIT
#pragma once

// The policies that are compared, a line each: add a line here, and every slice that varies its axis has it.

#include <algorithm>

#include <consistency/consistency.hpp>

#include "any_times.hpp"
#include "axis.hpp"
#include "methods.hpp"

namespace policies::axes {

inline auto methods() {
  return axis(Named{"ct", Training{}}, Named{"cd", Distillation{}},
              Named{"continuous-ct", ContinuousTraining{}}, Named{"continuous-cd", ContinuousDistillation{}},
              Named{"pd", Progressive{}}, Named{"edm", Denoising{}}, Named{"flow", Flow{}});
}

/// Flow maps (docs/concepts/flow_map.md), each with its own policies; on few numbers L2 in place of the
/// adaptive metric, which would look for the velocity's mode.
inline auto flow_maps() {
  return axis(
      Named{"mean-flow", OfFlowMap{[](Classroom const& room) { return MeanFlow<Map>{.f = room.map()}; }}},
      Named{"mean-flow-l2", OfFlowMap{[](Classroom const& room) {
              return MeanFlow<Map, DataVelocity, EulerianIdentity, L2>{.f = room.map(), .metric = {}};
            }}},
      Named{"improved-mean-flow-l2", OfFlowMap{[](Classroom const& room) {
              return ImprovedMeanFlow<Map, DataVelocity, EulerianIdentity, L2>{.f = room.map(), .metric = {}};
            }}},
      Named{"alpha-flow-l2", OfFlowMap{[](Classroom const& room) {
              auto const quarter = std::max<Index>(1, room.steps / 4);
              return AlphaFlow<Map, DataVelocity, BlendedIdentity<SigmoidBlend>, L2>{
                  .f = room.map(),
                  .identity = {.alpha = {.K0 = quarter, .K1 = 3 * quarter}, .clip = 4},
                  .metric = {}};
            }}},
      Named{"soflow-l2", OfFlowMap{[](Classroom const& room) {
              return SoFlow<Map, DataVelocity, BlendedIdentity<GeometricBlend>, L2>{
                  .f = room.map(),
                  .identity = {.alpha = {.last = 0.01, .K = room.steps}, .quotient = true},
                  .metric = {}};
            }}},
      Named{"shortcut", OfFlowMap{[](Classroom const& room) { return Shortcut<Map>{.f = room.map()}; }}},
      Named{"psd", OfFlowMap{[](Classroom const& room) {
              return ProgressiveSelfDistillation<Map>{.f = room.map()};
            }}},
      Named{"lsd", OfFlowMap{[](Classroom const& room) {
              return LagrangianSelfDistillation<Map>{.f = room.map()};
            }}},
      Named{"tvm",
            OfFlowMap{[](Classroom const& room) { return TerminalVelocityMatching<Map>{.f = room.map()}; }}});
}

inline auto metrics() {
  return axis(Named{"l2", L2{}},      //
              Named{"l1", L1{}},      //
              Named{"linf", LInf{}},  //
              Named{"huber", PseudoHuber{}});
}

inline auto solvers() {
  return axis(Named{"euler", Euler{}},  //
              Named{"ddim", Ddim{}},    //
              Named{"heun", Heun{}},    //
              Named{"dpm2", Dpm2{}});
}

/// Noise levels from 0.002 to 80, whatever the process calls them.
inline auto processes() {
  return axis(Named{"exploding", VarianceExploding{}},
              Named{"linear", LinearPath{.epsilon = 0.002 / 1.002, .T = 80.0 / 81.0}},
              Named{"trigonometric", Trigonometric{}});
}

inline auto parameterizations() {
  return axis(Named{"edm", EdmPreconditioning{}},            //
              Named{"velocity", VelocityPreconditioning{}},  //
              Named{"trigflow", TrigonometricPreconditioning{}});
}

/// Pairs of times, of the discrete methods.
inline auto pairs() {
  return axis(
      Named{"grid-9", AnyTimes{GridTimes<FixedSteps>{{.N = 9}}}},
      Named{"grid-18", AnyTimes{GridTimes<FixedSteps>{{.N = 18}}}},
      Named{"log-normal-18", AnyTimes{GridTimes<FixedSteps, LogNormalDistribution>{{.N = 18}}}},
      Named{"adaptive", AnyTimes{GridTimes<AdaptiveSteps>{{.s0 = 2, .s1 = 60}}}},
      Named{"doubling", AnyTimes{GridTimes<DoublingSteps, LogNormalDistribution>{{.s0 = 10, .s1 = 160}}}},
      Named{"gap", AnyTimes{GapTimes{}}});
}

/// Times in themselves, of the continuous methods and of denoisers.
inline auto distributions() {
  return axis(Named{"uniform", UniformDistribution{}}, Named{"log-normal", LogNormalDistribution{}});
}

inline auto targets() {
  return axis(Named{"stop", StopGradientTarget{}},  //
              Named{"student", StudentTarget{}},    //
              Named{"ema", EmaTarget{.mu = 0.9}},   //
              Named{"adaptive-ema", AdaptiveEmaTarget{.mu0 = 0.3}});
}

inline auto optimizers() {
  return axis(Named{"radam", RAdam{.learning_rate = 1e-3}},  //
              Named{"adam", Adam{.learning_rate = 1e-3}},    //
              Named{"adamw", AdamW{.learning_rate = 1e-3}},  //
              Named{"sgd", Sgd{.learning_rate = 1e-2}},      //
              Named{"muon", Muon{.learning_rate = 5e-3}});
}

}  // namespace policies::axes
