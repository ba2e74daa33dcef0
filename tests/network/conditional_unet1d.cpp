// SPDX-License-Identifier: MIT
#include <vector>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/core/parallel.hpp>
#include <consistency/network/conditional_unet1d.hpp>
#include <consistency/network/network.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

static_assert(Network<ConditionalUNet1d> && DifferentiableNetwork<ConditionalUNet1d>);

namespace {

using T = Tensor<double>;

struct Problem {
  explicit Problem(Modulation modulation)
      : net{{.horizon = 8,
             .widths = {16, 8, 16},
             .kernel = 3,
             .groups = 4,
             .embedding = 6,
             .modulation = modulation,
             .dropout = 0.2,
             .condition = {.features = 3}}},
        theta{Parameters<T>::initialized(net.parameters(), {1})},
        x{normal<double>({2, 8, 2}, {2})},
        t{normal<double>({2, 1, 1}, {3})},
        observations{normal<double>({2, 3}, {4})} {
    set_threads(1);  // the loops are too small to share
    auto const noise = normal<double>({1, theta.flat().count()}, {9});
    for (Index i = 0; i < noise.count(); ++i) theta.flat().mutable_data()[i] += 0.3 * noise[i];
  }
  template <class Time>
  auto value(auto const& at, auto const& a, Time const& time) const {
    return net(at, a, Conditions{time, Condition<T>{observations}}, mode);
  }

  ConditionalUNet1d net;
  Parameters<T> theta;
  T x, t, observations;
  Mode mode{.training = true, .key = {5}, .first = {6, 7}};
};

}  // namespace

TEST_CASE("the published networks have the published numbers of parameters") {
  CHECK(ConditionalUNet1d{ConditionalUNet1dSettings::push_t_state()}.parameters().count() == 65'353'218);
  CHECK(ConditionalUNet1d{ConditionalUNet1dSettings::push_t_keypoints()}.parameters().count() == 65'783'298);
  CHECK(ConditionalUNet1d{ConditionalUNet1dSettings::push_t_image()}.parameters().count() == 251'511'938);
}

TEST_CASE("the 1-D U-Net gives the same bits for every value type, and its derivatives agree") {
  for (auto const modulation : {Modulation::scale, Modulation::one_plus_scale, Modulation::bias}) {
    auto const p = Problem{modulation};
    T const y = p.value(p.theta, p.x, p.t);
    CHECK(y.shape() == p.x.shape());
    auto const gradient = Parameters<T>{p.net.parameters()};
    Tape<T> tape;
    Parameters<Variable<T>> watched;
    watched.watch(tape, p.theta, gradient);
    auto const x = tape.watch(p.x);
    auto const reverse = p.value(watched, x, p.t);
    CHECK(same_bits(stop_gradient(reverse), y));

    constexpr auto h = 1e-4;
    auto const dx = normal<double>(p.x.shape(), {20}), dt = normal<double>(p.t.shape(), {21});
    auto const forward = p.value(p.theta, Dual<T>{p.x, dx}, Dual<T>{p.t, dt});
    CHECK(same_bits(forward.primal, y));
    auto const at = [&](double step) { return T(p.value(p.theta, T(p.x + step * dx), T(p.t + step * dt))); };
    T const slope = (8.0 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    CHECK(distance(forward.tangent, slope) < 1e-8 * magnitude(slope));

    auto const weights = normal<double>(p.x.shape(), {30});
    tape.backward(sum(weights * reverse));
    auto const along_x = p.value(p.theta, Dual<T>{p.x, dx}, Dual<T>{p.t});
    CHECK(relative_error(dot(weights, along_x.tangent), dot(tape.gradient(x), dx)) < 1e-12);
    auto const slope_along = [&](T const& direction) {
      auto const moved_by = [&](double step) {
        auto moved = p.theta;
        for (Index i = 0; i < direction.count(); ++i) moved.flat().mutable_data()[i] += step * direction[i];
        return dot(weights, T(p.value(moved, p.x, p.t)));
      };
      return (8 * (moved_by(h) - moved_by(-h)) - (moved_by(2 * h) - moved_by(-2 * h))) / (12 * h);
    };
    for (ParameterId id = 0; id < p.net.parameters().entries().size(); ++id) {  // none is forgotten
      auto const& entry = p.net.parameters().entries()[id];
      CAPTURE(entry.name);
      auto direction = T(Shape{1, p.theta.flat().count()}, 0.0);
      auto const part = normal<double>({1, entry.shape.count()}, {50});
      direction.view(entry.offset, part.shape()).assign(part);
      CHECK(magnitude(gradient[id]) > 0);
      CHECK(relative_error(dot(gradient.flat(), direction), slope_along(direction)) < 1e-6);
    }
  }
}

TEST_CASE("without observations the 1-D U-Net sees time alone, and those it does not expect are rejected") {
  auto const net = ConditionalUNet1d{{.horizon = 4, .widths = {8, 16}}};
  auto const theta = Parameters<T>::initialized(net.parameters(), {1});
  auto const x = normal<double>({2, 4, 2}, {2});
  auto const t = normal<double>({2, 1, 1}, {3});
  T const y = net(theta, x, t);
  CHECK(y.shape() == x.shape());
  check_fails<ErrorCode::config>(
      [&] {
        net(theta, x, Conditions{t, Condition<T>{normal<double>({2, 3}, {4})}});
      },
      {"condition", "3 features", "none"});
  check_fails<ErrorCode::shape>(
      [&] {
        net(theta, normal<double>({2, 8, 2}, {2}), t);
      },
      {"ConditionalUNet1d", "(2, 8, 2)", "(4, 2)"});
}

TEST_CASE("settings of a 1-D U-Net that do not fit each other are rejected with the numbers") {
  check_fails<ErrorCode::config>(
      [] {
        ConditionalUNet1d{{.horizon = 10, .widths = {8, 8, 8}}};
      },
      {"horizon", "10", "multiple of", "4"});
  check_fails<ErrorCode::config>(
      [] {
        ConditionalUNet1d{{.widths = {12, 24}}};
      },
      {"down_modules.0.0", "12 channels", "8 groups"});
  check_fails<ErrorCode::config>([] { ConditionalUNet1d{{.kernel = 4}}; }, {"kernel", "4", "odd"});
  check_fails<ErrorCode::config>([] { ConditionalUNet1d{{.widths = {}}}; }, {"levels", "0"});
  check_fails<ErrorCode::config>([] { ConditionalUNet1d{{.condition = {.features = 2, .labels = 3}}}; },
                                 {"labels of the condition", "3"});
}
