// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/model/flow_map.hpp>
#include <consistency/network/layer/linear.hpp>
#include <consistency/optimizer/adam.hpp>
#include <consistency/solver/dpm2.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/align_your_flow.hpp>
#include <consistency/training/alpha_flow.hpp>
#include <consistency/training/consistency_mid_training.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/consistency_trajectory_model.hpp>
#include <consistency/training/continuous_consistency_distillation.hpp>
#include <consistency/training/continuous_consistency_training.hpp>
#include <consistency/training/denoiser_training.hpp>
#include <consistency/training/improved_mean_flow.hpp>
#include <consistency/training/lagrangian_self_distillation.hpp>
#include <consistency/training/mean_flow.hpp>
#include <consistency/training/multistep_consistency_model.hpp>
#include <consistency/training/progressive_distillation.hpp>
#include <consistency/training/progressive_self_distillation.hpp>
#include <consistency/training/shortcut.hpp>
#include <consistency/training/simplified_consistency_training.hpp>
#include <consistency/training/soflow.hpp>
#include <consistency/training/terminal_velocity_matching.hpp>
#include <consistency/training/trainer.hpp>
#include <consistency/training/truncated_consistency_model.hpp>

using namespace consistency;

namespace {

using X = Tensor<float>;

struct Count {
  int plain = 0, recorded = 0, derived = 0;
  friend bool operator==(Count const&, Count const&) = default;
};
Count count;

/// A linear network that counts its evaluations by value type.
class Counting {
 public:
  ParameterTable const& parameters() const noexcept { return table_; }
  Shape data_shape() const { return {2}; }
  auto operator()(auto const& theta, Value auto const& x, auto const&, Mode const& = {}) const {
    using V = std::remove_cvref_t<decltype(x)>;
    if constexpr (is_dual<V>) {
      ++count.derived;
    } else if constexpr (is_variable<std::remove_cvref_t<decltype(theta[0])>>) {
      ++count.recorded;
    } else {
      ++count.plain;
    }
    return layer_(theta, x);
  }

 private:
  ParameterTable table_;
  Linear layer_{table_, "layer", 2, 2};
};

auto const f = ConsistencyFunction{Counting{}};
auto const D = Denoiser{Counting{}};
auto const teacher = TeacherVelocity{D, D.initialize({1})};

auto const path_D = Denoiser{Counting{}, LinearPath{.epsilon = 0}};
auto const X_map = FlowMap{Counting{}};

Count evaluations(auto const& method) {
  auto trainer = Trainer{method, Adam{}, method.f.initialize({2})};
  count = {};
  trainer.step(0.5 * normal<float>({4, 2}, {3}));
  return count;
}
/// Of the loss alone, at step 0: a flow map's methods need no trainer each.
Count of_loss(auto const& method) {
  X const x0 = 0.5 * normal<float>({4, 2}, {3});
  auto const start = method.f.initialize({2});
  auto gradient = Parameters<X>{start.table()};
  Tape<X> tape;
  Parameters<Variable<X>> theta;
  theta.watch(tape, start, gradient);
  auto const drawn = method.draw(x0, 0, Key{});
  count = {};
  method.loss(theta, start, Batch<X>{x0}, drawn);
  return count;
}

}  // namespace

TEST_CASE("a training step evaluates student and target once, and nothing else") {
  CHECK(evaluations(ConsistencyTraining{.f = f, .metric = L2{}}) == Count{.plain = 1, .recorded = 1});
  CHECK(evaluations(DenoiserTraining{.f = D}) == Count{.recorded = 1});
}

TEST_CASE("a distillation step adds the teacher, once by Euler's rule and twice by second-order rules") {
  CHECK(evaluations(ConsistencyDistillation{.f = f, .velocity = teacher, .solver = Euler{}}) ==
        Count{.plain = 2, .recorded = 1});
  CHECK(evaluations(ConsistencyDistillation{.f = f, .velocity = teacher, .solver = Heun{}}) ==
        Count{.plain = 3, .recorded = 1});
  CHECK(evaluations(ConsistencyDistillation{.f = f, .velocity = teacher, .solver = Dpm2{}}) ==
        Count{.plain = 3, .recorded = 1});
  CHECK(evaluations(ProgressiveDistillation{.f = D, .times = ProgressiveTimes{.start = 8}}) ==
        Count{.plain = 2, .recorded = 1});
}

TEST_CASE("a continuous-time step takes one sweep for the derivative along the flow") {
  CHECK(evaluations(ContinuousConsistencyTraining{.f = f}) == Count{.recorded = 1, .derived = 1});
  CHECK(evaluations(ContinuousConsistencyDistillation{.f = f, .velocity = teacher}) ==
        Count{.plain = 1, .recorded = 1, .derived = 1});
  CHECK(evaluations(ContinuousConsistencyDistillation{.f = f,
                                                      .velocity = teacher,
                                                      .metric = L2{},
                                                      .distribution = UniformDistribution{},
                                                      .weighting = UniformWeighting{},
                                                      .target = StudentTarget{}}) ==
        Count{.plain = 1, .derived = 1});
}

TEST_CASE("Eulerian methods take one sweep along the flow, the blend another evaluation instead") {
  auto const one_sweep = Count{.recorded = 1, .derived = 1};
  CHECK(of_loss(MeanFlow{.f = X_map}) == one_sweep);
  CHECK(of_loss(ImprovedMeanFlow{.f = X_map}) == Count{.plain = 1, .recorded = 1, .derived = 1});
  auto const process = Trigonometric{};
  CHECK(of_loss(SimplifiedConsistencyTraining{.f = ConsistencyFunction{Counting{}, process}}) == one_sweep);
  CHECK(of_loss(AlignYourFlow{.f = X_map, .velocity = TeacherVelocity{path_D, path_D.initialize({1})}}) ==
        Count{.plain = 1, .recorded = 1, .derived = 1});
  CHECK(of_loss(AlphaFlow{.f = X_map}) == Count{.plain = 1, .recorded = 1});
  CHECK(of_loss(SoFlow{.f = X_map}) == Count{.plain = 1, .recorded = 1});
}

TEST_CASE("semigroup methods take two evaluations beside the student's, Lagrangian ones one and a sweep") {
  CHECK(of_loss(Shortcut{.f = X_map}) == Count{.plain = 2, .recorded = 1});
  CHECK(of_loss(ProgressiveSelfDistillation{.f = X_map}) == Count{.plain = 2, .recorded = 1});
  CHECK(of_loss(LagrangianSelfDistillation{.f = X_map}) == Count{.plain = 1, .derived = 1});
  CHECK(of_loss(TerminalVelocityMatching{.f = X_map}) == Count{.plain = 1, .derived = 1});
}

TEST_CASE("trajectory models, truncated and multistep models and mid-training take what they say") {
  CHECK(of_loss(ConsistencyTrajectoryModel{.f = FlowMap{Counting{}, LinearPath{}},
                                           .velocity = TeacherVelocity{path_D, path_D.initialize({1})}}) ==
        Count{.plain = 5, .recorded = 2});
  CHECK(of_loss(TruncatedConsistencyModel{.f = f, .phi = f.initialize({1})}) ==
        Count{.plain = 2, .recorded = 1});
  CHECK(of_loss(MultistepConsistencyModel{.f = D}) == Count{.plain = 1, .recorded = 1});
  CHECK(of_loss(MultistepConsistencyModel{.f = D, .velocity = teacher}) == Count{.plain = 2, .recorded = 1});
  CHECK(of_loss(ConsistencyMidTraining{.f = f, .velocity = teacher, .steps = 4}) ==
        Count{.plain = 8, .recorded = 4});
}
