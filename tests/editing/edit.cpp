// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/editing/colorize.hpp>
#include <consistency/editing/denoise.hpp>
#include <consistency/editing/inpaint.hpp>
#include <consistency/editing/slerp.hpp>
#include <consistency/editing/stroke_guided.hpp>
#include <consistency/editing/super_resolve.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/network/unet.hpp>
#include <consistency/process/trigonometric.hpp>
#include <consistency/sampling/sample.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using F = Tensor<float>;

auto const f = ConsistencyFunction{
    UNet{{.channels = 8, .blocks = 1, .attention = {4}, .groups = 4, .embedding = 16, .image = {8, 8, 3}}}};
auto const theta = f.initialize(Key{1});
F images(Index n) { return 0.5 * normal<float>({n, 8, 8, 3}, Key{7}); }
/// The left half is generated.
F half() {
  F mask{{1, 8, 8, 1}, 0.0F};
  for (Index i = 0; i < 64; ++i) mask.mutable_data()[i] = i % 8 < 4 ? 1.0F : 0.0F;
  return mask;
}

}  // namespace

TEST_CASE("known pixels come back as they were, and the others are generated") {
  auto const y = images(2);
  auto const edited = inpaint(f, theta, y, half(), {.results = 3, .seed = 5});
  REQUIRE(edited.shape() == Shape{6, 8, 8, 3});
  Index changed = 0;
  for (Index i = 0; i < edited.count(); ++i) {
    auto const known = y[i / (3 * 192) * 192 + i % 192];
    if (i / 3 % 8 >= 4)
      CHECK(edited[i] == known);
    else
      changed += edited[i] != known ? 1 : 0;
  }
  CHECK(changed == 6 * 96);
  auto const one = [&](Index i) { return edited.view(i * 192, {1, 8, 8, 3}); };
  CHECK(distance(one(0), one(1)) > 1e-3);
  CHECK(distance(one(0), one(2)) > 1e-3);
}

TEST_CASE("an edit has the same bits in any batch") {
  auto const y = images(3);
  auto const all = inpaint(f, theta, y, half(), {.results = 2, .seed = 5});
  for (Index const batch : {1, 4})
    CHECK(same_bits(inpaint(f, theta, y, half(), {.results = 2, .seed = 5, .batch = batch}), all));
  // A mask of each image.
  F masks{{3, 8, 8, 1}, 1.0F};
  std::copy_n(half().data(), 64, masks.mutable_data() + 64);
  auto const own = inpaint(f, theta, y, masks, {.results = 2, .seed = 5, .batch = 4});
  CHECK(same_bits(own.view(2 * 192, {2, 8, 8, 3}), all.view(2 * 192, {2, 8, 8, 3})));
}

TEST_CASE("with one time and nothing known an edit is one step from noise at T") {
  auto const y = images(1);
  auto const edited = inpaint(f, theta, y, F{{1}, 1.0F}, {.results = 4, .seed = 5, .times = {80}});
  CHECK(same_bits(edited, sample(f, theta, OneStep{}, {.seed = 5, .count = 4})));
}

TEST_CASE("strokes guide from their noise level on: nothing is put back") {
  auto const y = images(1);
  auto const edited = stroke_guided(f, theta, y, {.seed = 5, .times = {5.38}});
  auto const z = normal<float>({1, 8, 8, 3}, Key{5, stream::sampling});
  F const expected = f(theta, evaluated(y + 5.38 * z), F{{1, 1, 1, 1}, 5.38F});
  CHECK(distance(edited, expected) < 1e-6);
  check_fails<ErrorCode::config>([&] { stroke_guided(f, theta, y, {}); }, {"stroke_guided", "times", "5.38"});
}

TEST_CASE("the transforms are orthogonal to 1e-12 and give back what they took") {
  auto const x = normal<double>({2, 8, 8, 3}, Key{3});
  auto const check = [&](OrthogonalTransform const& A) {
    auto const y = A.forward(x);
    CHECK(distance(A.inverse(y), x) < 1e-13);
    CHECK(sum(square(y))[0] == doctest::Approx(sum(square(x))[0]).epsilon(1e-12));
    for (Index i = 0; i < A.size(); ++i) {  // columns of Aᵀ, one for each unit vector
      Tensor<double> unit{{1, 1, 1, A.size()}, 0.0};
      unit.mutable_data()[i] = 1;
      auto const column = A.inverse(unit);
      CHECK(std::abs(sum(square(column))[0] - 1) < 1e-12);
      for (Index j = 0; j < i; ++j) {
        Tensor<double> other{{1, 1, 1, A.size()}, 0.0};
        other.mutable_data()[j] = 1;
        CHECK(std::abs(sum(column * A.inverse(other))[0]) < 1e-12);
      }
    }
  };
  check(luminance_transform());
  check(patch_mean_transform(2, 3));
  check(patch_mean_transform(4, 3));
}

TEST_CASE("the first coordinate is the luminance, or the mean of a patch") {
  auto const x = normal<double>({1, 4, 4, 3}, Key{3});
  auto const colours = luminance_transform().forward(x);
  auto const norm = std::hypot(0.2989, 0.5870, 0.1140);
  for (Index i = 0; i < 16; ++i)
    CHECK(colours[3 * i] ==
          doctest::Approx((0.2989 * x[3 * i] + 0.5870 * x[3 * i + 1] + 0.1140 * x[3 * i + 2]) / norm)
              .epsilon(1e-12));
  auto const patches = patch_mean_transform(2, 3).forward(x);  // (1, 2, 2, 12)
  for (Index channel = 0; channel < 3; ++channel) {
    auto const pixel = [&](Index row, Index column) { return x[(4 * row + column) * 3 + channel]; };
    CHECK(patches[12 + channel] ==
          doctest::Approx((pixel(0, 2) + pixel(0, 3) + pixel(1, 2) + pixel(1, 3)) / 2).epsilon(1e-12));
  }
}

TEST_CASE("a colorized image keeps its luminance, a super-resolved one the means of its patches") {
  auto y = images(2);
  for (Index i = 0; i < y.count(); ++i) y.mutable_data()[i] = y[i / 3 * 3];  // grey
  auto const colours = colorize(f, theta, y, {.results = 2, .seed = 5});
  CHECK(colours.shape() == Shape{4, 8, 8, 3});
  auto const A = luminance_transform();
  auto const luminance = [&](F const& x, Index i) { return A.forward(x)[3 * i]; };
  for (Index i = 0; i < 64; ++i) CHECK(std::abs(luminance(colours, i) - luminance(y, i)) < 1e-5F);
  CHECK(distance(colours.view(0, {1, 8, 8, 3}), y.view(0, {1, 8, 8, 3})) > 1e-3);

  F const small = 0.5 * normal<float>({2, 4, 4, 3}, Key{8});
  auto const large = super_resolve(f, theta, small, 2, {.results = 2, .seed = 5});
  REQUIRE(large.shape() == Shape{4, 8, 8, 3});
  auto const means = patch_mean_transform(2, 3).forward(large);  // (4, 4, 4, 12)
  for (Index i = 0; i < 4 * 16; ++i)
    for (Index c = 0; c < 3; ++c)
      CHECK(std::abs(means[12 * i + c] / 2 - small[(i / 32 * 16 + i % 16) * 3 + c]) < 1e-5F);
}

TEST_CASE("noise between two noises has their length, and the ends are the two") {
  auto const z1 = normal<double>({1, 500}, Key{1}), z2 = normal<double>({1, 500}, Key{2});
  auto const all = slerp(z1, z2, 5);  // (5, 500)
  CHECK(distance(all.view(0, {1, 500}), z1) < 1e-12);
  CHECK(distance(all.view(4 * 500, {1, 500}), z2) < 1e-12);
  auto const n1 = sum(square(z1))[0], n2 = sum(square(z2))[0], product = sum(z1 * z2)[0];
  auto const psi = std::acos(product / std::sqrt(n1 * n2)), a = std::sin(psi / 2) / std::sin(psi);
  CHECK(sum(square(all.view(2 * 500, {1, 500})))[0] ==
        doctest::Approx(a * a * (n1 + n2 + 2 * product)).epsilon(1e-12));
  check_fails<ErrorCode::config>([&] { slerp(z1, z1, 5); }, {"slerp", "angle", "seeds"});
  check_fails<ErrorCode::config>([&] { slerp(z1, z2, 1); }, {"slerp", "count", "1"});
  check_fails<ErrorCode::shape>(
      [&] {
        slerp(z1, normal<double>({1, 4}, Key{2}), 3);
      },
      {"(1, 500)", "(1, 4)"});
}

TEST_CASE("denoising is one evaluation at the noise's time, inside the range") {
  auto const x = images(2);
  CHECK(same_bits(denoise(f, theta, x, 0.3), f(theta, x, F{{2, 1, 1, 1}, 0.3F})));
  check_fails<ErrorCode::config>([&] { denoise(f, theta, x, 90); }, {"denoise", "90", "0.002 to 80"});
}

TEST_CASE("masks, times, sizes and matrices that cannot be are rejected with what was found") {
  auto const y = images(2);
  auto const run = [&](F const& mask, EditSettings const& settings) { inpaint(f, theta, y, mask, settings); };
  F bad = half().clone();
  bad.mutable_data()[3] = 0.5F;
  check_fails<ErrorCode::config>([&] { run(bad, {}); }, {"Edit", "mask, number 3", "0.5", "known"});
  check_fails<ErrorCode::shape>([&] { run(F{{1, 4, 8, 1}, 1.0F}, {}); }, {"Edit", "mask", "(1, 4, 8, 1)"});
  check_fails<ErrorCode::shape>([&] { run(F{}, {}); }, {"Edit", "mask", "none"});
  check_fails<ErrorCode::config>([&] { run(half(), {.times = {5, 5}}); }, {"Edit", "times[1]", "5"});
  check_fails<ErrorCode::config>([&] { run(half(), {.times = {81}}); }, {"Edit", "times[0]", "81", "80"});
  check_fails<ErrorCode::config>([&] { run(half(), {.results = 0}); }, {"Edit", "results", "0"});
  check_fails<ErrorCode::shape>(
      [&] {
        inpaint(f, theta, F{{1, 4, 4, 3}, 0.0F}, F{{1}, 1.0F});
      },
      {"Edit", "(1, 8, 8, 3)", "(1, 4, 4, 3)"});
  check_fails<ErrorCode::shape>(
      [&] {
        colorize(f, theta, F{{1, 8, 8, 1}, 0.0F});
      },
      {"OrthogonalTransform", "1", "3, as Q"});
  check_fails<ErrorCode::config>(
      [] {
        OrthogonalTransform(1, 2, {1, 0.5, 0, 1});
      },
      {"OrthogonalTransform", "columns 0 and 1", "0.5", "orthogonal"});
  check_fails<ErrorCode::config>(
      [] {
        OrthogonalTransform(1, 2, {1, 0, 0});
      },
      {"OrthogonalTransform", "numbers of Q", "3"});
}
