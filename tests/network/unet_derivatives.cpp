// SPDX-License-Identifier: MIT
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/core/parallel.hpp>
#include <consistency/network/unet.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "derivatives.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

/// Networks that between them hold every branch of the code.
std::vector<UNetSettings> variants() {
  return {
      {.channels = 8, .blocks = 1, .attention = {4}, .groups = 4, .embedding = 12, .image = {8, 8, 2}},
      {.channels = 6,
       .multipliers = {1, 2, 1},
       .blocks = 1,
       .attention = {2, 4},
       .heads = 2,
       .groups = 2,
       .patch = 2,
       .dropout = 0.3,
       .embedding = 7,
       .conditioning = Conditioning::add,
       .time = {TimeEmbedding::Kind::fourier, 0.3},
       .image = {16, 8, 1}},
  };
}

struct Problem {
  explicit Problem(UNetSettings const& settings)
      : net{settings},
        theta{moved_parameters(net.parameters())},
        x{normal<double>(batch_of(settings.image), {2})},
        t{normal<double>({3, 1, 1, 1}, {3})} {
    set_threads(1);  // the loops are too small to share
  }
  static Shape batch_of(Shape const& image) { return {3, image[0], image[1], image[2]}; }

  T value(Parameters<T> const& at, T const& a, T const& time) const { return net(at, a, time, mode); }

  UNet net;
  Parameters<T> theta;
  T x, t;
  Mode mode{.training = true, .key = {5}, .first = {6, 7}};
};

constexpr auto h = 1e-5;

}  // namespace

TEST_CASE("a U-Net gives the same bits for every value type") {
  for (auto const& settings : variants()) {
    auto const p = Problem{settings};
    auto const y = p.value(p.theta, p.x, p.t);

    Tape<T> tape;
    auto const gradient = Parameters<T>{p.net.parameters()};
    Parameters<Variable<T>> watched;
    watched.watch(tape, p.theta, gradient);
    CHECK(same_bits(stop_gradient(p.net(watched, p.x, p.t, p.mode)), y));

    auto const forward = p.net(p.theta, Dual<T>{p.x, p.x}, Dual<T>{p.t, p.t}, p.mode);
    CHECK(same_bits(forward.primal, y));
  }
}

TEST_CASE("a U-Net's derivative along a direction is that of finite differences") {
  for (auto const& settings : variants()) {
    auto const p = Problem{settings};
    for (std::uint64_t seed = 10; seed < 14; ++seed) {
      auto const dx = normal<double>(p.x.shape(), {seed});
      auto const dt = normal<double>(p.t.shape(), {seed + 100});
      auto const forward = p.net(p.theta, Dual<T>{p.x, dx}, Dual<T>{p.t, dt}, p.mode);
      T const slope =
          (p.value(p.theta, p.x + h * dx, p.t + h * dt) - p.value(p.theta, p.x - h * dx, p.t - h * dt)) /
          (2 * h);
      CHECK(distance(forward.tangent, slope) < 1e-7 * magnitude(slope));
    }
  }
}

TEST_CASE("the derivative along the image and along the time add up") {
  auto const p = Problem{variants()[0]};
  auto const dx = normal<double>(p.x.shape(), {20});
  auto const dt = normal<double>(p.t.shape(), {21});
  auto const both = p.net(p.theta, Dual<T>{p.x, dx}, Dual<T>{p.t, dt}, p.mode);
  auto const image = p.net(p.theta, Dual<T>{p.x, dx}, Dual<T>{p.t}, p.mode);
  auto const time = p.net(p.theta, Dual<T>{p.x}, Dual<T>{p.t, dt}, p.mode);
  CHECK(distance<double>(image.tangent + time.tangent, both.tangent) < 1e-12 * magnitude(both.tangent));
}

TEST_CASE("every parameter of a U-Net has the gradient of finite differences") {
  for (auto const& settings : variants()) {
    auto const p = Problem{settings};
    check_gradients(p.net.parameters(), p.theta,
                    [&](auto const& theta) { return p.net(theta, p.x, p.t, p.mode); });
  }
}

TEST_CASE("a U-Net that recomputes its blocks has the same gradients to the bit") {
  for (auto settings : variants()) {
    auto const gradient = [&](bool recompute) {
      settings.recompute = recompute;
      auto const p = Problem{settings};
      auto result = Parameters<T>{p.net.parameters()};
      Tape<T> tape;
      Parameters<Variable<T>> watched;
      watched.watch(tape, p.theta, result);
      auto const nodes = tape.mark().nodes;
      auto const y = p.net(watched, p.x, p.t, p.mode);
      auto const recorded = tape.mark().nodes - nodes;
      tape.backward(y, p.x);
      return std::pair{result, recorded};
    };
    auto const [expected, all] = gradient(false);
    auto const [found, few] = gradient(true);
    CHECK(same_bits(found.flat(), expected.flat()));
    CHECK(2 * few < all);
  }
}

TEST_CASE("forward and reverse mode are adjoint to each other") {
  for (auto const& settings : variants()) {
    auto const p = Problem{settings};
    check_adjoint(p.x, [&](auto const& x) { return p.net(p.theta, x, p.t, p.mode); });
  }
}
