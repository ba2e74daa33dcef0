// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/layer/linear.hpp>
#include <consistency/optimizer/adam.hpp>
#include <consistency/solver/dpm2.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/continuous_consistency_distillation.hpp>
#include <consistency/training/continuous_consistency_training.hpp>
#include <consistency/training/denoiser_training.hpp>
#include <consistency/training/progressive_distillation.hpp>
#include <consistency/training/trainer.hpp>

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
  auto operator()(auto const& theta, Value auto const& x, Operand auto const&, Mode const& = {}) const {
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

Count evaluations(auto const& method) {
  auto trainer = Trainer{method, Adam{}, method.f.initialize({2})};
  count = {};
  trainer.step(0.5 * normal<float>({4, 2}, {3}));
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
