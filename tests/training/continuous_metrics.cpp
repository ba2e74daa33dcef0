// SPDX-License-Identifier: MIT
#include <array>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/metric/linf.hpp>
#include <consistency/metric/lpips.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/unet.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/continuous_consistency_distillation.hpp>
#include <consistency/training/continuous_consistency_training.hpp>

#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

auto const net =
    UNet{{.channels = 4, .blocks = 1, .attention = {}, .groups = 2, .embedding = 6, .image = {4, 4, 1}}};
auto const f = ConsistencyFunction{net};
auto const D = Denoiser{net};
constexpr auto key = Key{12};

/// Two smooth feature maps.
struct Features {
  T weight = 0.5 * normal<double>({3, 3, 1, 3}, {31});
  auto operator()(Operand auto const& x) const {
    auto const first = evaluated(tanh(conv2d(x, weight)));
    return std::array{first, evaluated(first * first + 0.1)};
  }
};

Parameters<T> random_parameters(std::uint64_t seed) {
  auto theta = f.initialize<double>({seed});
  auto const noise = normal<double>({1, theta.flat().count()}, {seed, stream::noise});
  for (Index i = 0; i < noise.count(); ++i) theta.flat().mutable_data()[i] += 0.1 * noise[i];
  return theta;
}

/// The gradient by θ along a line against finite differences of the loss. θ⁻ stays: a stopped target does,
/// and a method with θ⁻ = θ does not look at it.
void check_gradient(auto const& method) {
  auto const theta = random_parameters(4);
  auto const x0 = normal<double>({3, 4, 4, 1}, {6});
  auto gradient = Parameters<T>{theta.table()};
  Tape<T> tape;
  Parameters<Variable<T>> watched;
  watched.watch(tape, theta, gradient);
  tape.backward(method.loss(watched, theta, x0, method.draw(x0, 3, key)));
  auto const direction = normal<double>({1, theta.flat().count()}, {7});
  auto const value = [&](double step) {
    auto moved = theta;
    for (Index i = 0; i < direction.count(); ++i) moved.flat().mutable_data()[i] += step * direction[i];
    T const loss = method.loss(moved, theta, x0, method.draw(x0, 3, key));
    return loss[0];
  };
  constexpr auto h = 1e-4;
  auto const expected = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h);
  CHECK(relative_error(dot(gradient.flat(), direction), expected) < 1e-6);
}

}  // namespace

TEST_CASE("a perceptual metric enters continuous time by its curvature: the gradient is that of the loss") {
  Features const features;
  auto const positive = Lpips<Features, T>{features, {T(Shape{3}, 0.5), T(Shape{3}, 0.25)}};
  auto const teacher = TeacherVelocity{D, random_parameters(8)};
  check_gradient(ContinuousConsistencyTraining{.f = f, .metric = positive});
  check_gradient(ContinuousConsistencyDistillation{.f = f, .velocity = teacher, .metric = positive});
  check_gradient(ContinuousConsistencyDistillation{.f = f,
                                                   .velocity = teacher,
                                                   .metric = positive,
                                                   .distribution = UniformDistribution{},
                                                   .weighting = UniformWeighting{},
                                                   .target = StudentTarget{}});
}

TEST_CASE("a norm that is a maximum enters continuous time by its value") {
  auto const teacher = TeacherVelocity{D, random_parameters(8)};
  check_gradient(ContinuousConsistencyDistillation{.f = f,
                                                   .velocity = teacher,
                                                   .metric = LInf{},
                                                   .distribution = UniformDistribution{},
                                                   .weighting = UniformWeighting{},
                                                   .target = StudentTarget{}});
}
