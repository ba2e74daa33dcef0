// SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/condition/class_labels.hpp>
#include <consistency/network/song_unet.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"
#include "derivatives.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

/// Images that are not square, of four channels, on three levels; classes, labels of augmentation, masks.
SongUNetSettings tiny() {
  auto s = SongUNetSettings::ncsnpp();
  s.channels = 8;
  s.multipliers = {1, 2, 1};
  s.blocks = 1;
  s.attention = {6};
  s.groups = 4;
  s.dropout = 0.3;
  s.embedding = 6;
  s.time.scale = 1;
  s.condition = {.features = 5, .labels = 9};
  s.image = {12, 8, 4};
  return s;
}

struct Problem {
  explicit Problem(SongUNetSettings const& settings = tiny()) : net{settings} {
    set_threads(1);  // the loops are too small to share
  }

  auto at(auto const& time) const { return Conditions{time, condition}; }
  T value(Parameters<T> const& of) const { return net(of, x, at(t), mode); }

  SongUNet net;
  Parameters<T> theta = moved_parameters(net.parameters());
  T x = normal<double>({2, 12, 8, 4}, {2});
  T t = normal<double>({2, 1, 1, 1}, {3});
  Condition<T> condition{normal<double>({2, 14}, {8})};
  Mode mode{.training = true, .key = {5}, .first = {6, 7}};
};

}  // namespace

TEST_CASE("NCSN++ and DDPM++ have as many parameters as the papers' for CIFAR-10") {
  auto const ncsnpp = SongUNet{SongUNetSettings::ncsnpp()};
  CHECK(ncsnpp.parameters().count() == 56'395'651);
  CHECK(SongUNet{SongUNetSettings::ddpmpp()}.parameters().count() == 55'732'739);
  auto const frequencies = ncsnpp.parameters().entries()[*ncsnpp.parameters().find("map_noise.freqs")];
  CHECK(frequencies.shape == Shape{128});
  CHECK(frequencies.constant);
  CHECK(frequencies.initializer.deviation == 16);
}

TEST_CASE("every parameter of NCSN++ has the gradient of finite differences, and its frequencies have none") {
  auto const p = Problem{};
  check_gradients(p.net.parameters(), p.theta,
                  [&](auto const& theta) { return p.net(theta, p.x, p.at(p.t), p.mode); });
}

TEST_CASE("forward and reverse mode of NCSN++ are adjoint to each other") {
  auto const p = Problem{};
  check_adjoint(p.x, [&](auto const& x) { return p.net(p.theta, x, p.at(p.t), p.mode); });
}

TEST_CASE("residual blocks that run again in the backward pass give NCSN++ the same gradients to the bit") {
  auto gradient_of = [](bool recompute) {
    auto settings = tiny();
    settings.recompute = recompute;
    auto const p = Problem{settings};
    auto gradient = Parameters<T>{p.net.parameters()};
    Tape<T> tape;
    Parameters<Variable<T>> watched;
    watched.watch(tape, p.theta, gradient);
    tape.backward(sum(square(p.net(watched, p.x, p.at(p.t), p.mode))));
    return gradient.flat();
  };
  CHECK(same_bits(gradient_of(true), gradient_of(false)));
}

TEST_CASE("a condition without labels of augmentation is that of an image as it was") {
  auto const p = Problem{};
  T const classes = slice(p.condition.features(), 0, 5);  // (2, 5)
  T const zeros = concat(classes, T(Shape{2, 9}, 0.0));   // (2, 14)
  T const without = p.net(p.theta, p.x, Conditions{p.t, Condition<T>{classes}});
  T const with = p.net(p.theta, p.x, Conditions{p.t, Condition<T>{zeros}});
  CHECK(distance(without, with) < 1e-13);
  CHECK(distance(without, T(p.net(p.theta, p.x, p.at(p.t)))) > 1e-3);
  check_fails<ErrorCode::config>(
      [&] {
        p.net(p.theta, p.x, Conditions{p.t, Condition<T>{T(Shape{2, 9}, 0.0)}});
      },
      {"condition", "found 9 features", "5 features"});
}

TEST_CASE("a pyramid without the filter, and images that do not halve, are rejected with the rule") {
  check_fails<ErrorCode::config>([] { SongUNet{{.pyramid = true}}; }, {"SongUNet", "pyramid", "binomial"});
  auto s = tiny();
  s.image = {10, 8, 4};
  check_fails<ErrorCode::config>([&] { SongUNet{s}; }, {"SongUNet", "(10, 8, 4)", "divisible by", "= 4"});
  s.image = {36, 20, 1};  // no power of two
  s.attention = {9};
  CHECK(SongUNet{s}.data_shape() == Shape{36, 20, 1});
}
