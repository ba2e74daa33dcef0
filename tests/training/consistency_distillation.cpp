// SPDX-License-Identifier: MIT
#include <limits>
#include <utility>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/optimizer/radam.hpp>
#include <consistency/solver/dpm2.hpp>
#include <consistency/target/ema_target.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/consistency_distillation.hpp>
#include <consistency/training/trainer.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"
#include "state.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float>;

Mlp net(Index dimensions = 2, Index width = 24) {
  return Mlp{{.dimensions = dimensions, .width = width, .layers = 2, .embedding = 8}};
}
auto teacher(Mlp network = net(), double sigma_data = 0.5) {
  auto D = Denoiser{std::move(network), EdmPreconditioning{sigma_data}};
  auto phi = D.initialize(Key{1});
  return TeacherVelocity{D, phi};
}
auto const f = ConsistencyFunction{net()};

X batch(Index k) { return 0.5 * normal<float>({16, 2}, {4}, {static_cast<std::uint32_t>(k), 0}); }

template <class Solver>
void check_loss() {
  auto const source = teacher();
  auto const method = ConsistencyDistillation{.f = f, .velocity = source, .solver = Solver{}};
  auto const theta = f.initialize({2});
  auto const theta_minus = f.initialize({3});
  auto const x0 = batch(0);
  auto const z = normal<float>(x0.shape(), {5});
  auto const t = times<float>(16, grid_of(VarianceExploding{})(12, 18));
  auto const r = times<float>(16, grid_of(VarianceExploding{})(11, 18));
  auto const v = [&](X const& x, X const& time) -> X {
    return (x - source.denoiser(source.phi.parameters(), x, time)) / time;
  };
  X const x_t = x0 + t * z;
  X const x_r = Solver{}.step(v, x_t, t, r);
  X const expected = mean_per_sample(square(f(theta, x_t, t) - f(theta_minus, x_r, r)));
  CHECK(distance<float>(objective::distance(method, theta, theta_minus, x0, z, t, r), expected) < 1e-6F);
}

}  // namespace

TEST_CASE("the loss is that of the algorithm with x_r from the teacher's flow, for every solver") {
  check_loss<Euler>();
  check_loss<Heun>();
  check_loss<Dpm2>();
}

TEST_CASE("training leaves the teacher as it was") {
  auto trainer = Trainer{ConsistencyDistillation{.f = f, .velocity = teacher()}, RAdam{}, f.initialize({2})};
  for (Index k = 0; k < 3; ++k) trainer.step(batch(k));
  CHECK(same_bits(trainer.method().velocity.phi.parameters().flat(), teacher().phi.parameters().flat()));
}

TEST_CASE("a teacher that does not fit the student is rejected before training") {
  check_fails<ErrorCode::config>([] { ConsistencyDistillation{.f = f, .velocity = teacher(net(3))}.check(); },
                                 {"TeacherVelocity", "(3)", "(2)"});
  check_fails<ErrorCode::config>(
      [] { ConsistencyDistillation{.f = f, .velocity = teacher(net(), 0.7)}.check(); },
      {"TeacherVelocity", "sigma_data", "0.7", "0.5"});
  check_fails<ErrorCode::config>(
      [] {
        auto source = teacher();
        source.phi = ConsistencyFunction{net(2, 32)}.initialize({1});
        ConsistencyDistillation{.f = f, .velocity = source}.check();
      },
      {"TeacherVelocity", "parameters of the teacher"});
  check_fails<ErrorCode::config>(
      [] {
        auto const D = Denoiser{net(), EdmPreconditioning{}, VarianceExploding{.epsilon = 0.01, .T = 50}};
        ConsistencyDistillation{.f = f, .velocity = TeacherVelocity{D, D.initialize(Key{1})}}.check();
      },
      {"TeacherVelocity", "noise levels of the student", "80", "50"});
  check_fails<ErrorCode::config>(
      [] {
        auto const of = [](double sigma_data) { return Trigonometric{.sigma_data = sigma_data}; };
        auto const D = Denoiser{net(), of(1)};
        auto const student = ConsistencyFunction{net(), of(0.5)};
        ConsistencyDistillation{.f = student, .velocity = TeacherVelocity{D, D.initialize(Key{1})}}.check();
      },
      {"TeacherVelocity", "sigma_data"});
}

TEST_CASE("impossible settings are rejected before training") {
  check_fails<ErrorCode::config>(
      [] {
        ConsistencyDistillation{.f = f,
                                .velocity = teacher(),
                                .solver = Heun{},
                                .metric = L2{},
                                .times = GridTimes<FixedSteps>{.curriculum = {.N = 1}}}
            .check();
      },
      {"FixedSteps", "N", "1", "2 or more"});
  check_fails<ErrorCode::config>(
      [] {
        ConsistencyDistillation{.f = f,
                                .velocity = teacher(),
                                .solver = Heun{},
                                .metric = L2{},
                                .times = GridTimes<FixedSteps>{},
                                .weighting = UniformWeighting{},
                                .target = EmaTarget{.mu = 1.0}}
            .check();
      },
      {"EmaTarget", "mu", "found 1,", "[0, 1)"});
}

TEST_CASE("a teacher's output that is not finite stops the step by sample, and the state stays") {
  auto const D = Denoiser{net()};
  auto phi = D.initialize({1});
  phi.flat().mutable_data()[0] = std::numeric_limits<float>::quiet_NaN();
  auto const source = TeacherVelocity{D, phi};
  auto trainer = Trainer{ConsistencyDistillation{.f = f, .velocity = source}, RAdam{}, f.initialize({2})};
  auto const before = trainer.state();
  check_fails<ErrorCode::numeric>([&] { trainer.step(batch(0)); },
                                  {"TeacherVelocity", "sample 0", "finite", "t = "});
  CHECK(same_state(trainer.state(), before));
}
