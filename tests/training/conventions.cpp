// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/consistency.hpp>

#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE("a trainer rejects parameters of the same shapes that mean something else in its network") {
  auto const network = [](double scale) {
    return Mlp{{.width = 4, .embedding = 4, .time = {.scale = scale}}};
  };
  auto const method = ConsistencyTraining{
      .f = ConsistencyFunction{network(4)}, .metric = PseudoHuber{}, .times = GridTimes<>{}};
  auto const of = [&](double scale) {
    return Parameters<Tensor<float>>::initialized(network(scale).parameters(), {1});
  };
  Trainer{method, RAdam{}, of(4)};
  check_fails<ErrorCode::config>(
      [&] {
        Trainer{method, RAdam{}, of(1)};
      },
      {"Trainer", "parameters", ".scale = 1,", ".scale = 4,"});
}

TEST_CASE("a teacher rejects parameters of the same shapes that mean something else in its network") {
  auto const network = [](Index heads) {
    return UNet{{.channels = 8,
                 .multipliers = {1},
                 .blocks = 1,
                 .attention = {4},
                 .heads = heads,
                 .embedding = 4,
                 .image = {4, 4, 1}}};
  };
  auto const denoiser = Denoiser{network(2)};
  auto const student = ConsistencyFunction{network(2)};
  auto const check = [&](Index heads) {
    auto const phi = Parameters<Tensor<float>>::initialized(network(heads).parameters(), {1});
    TeacherVelocity{denoiser, phi}.check_student(student);
  };
  check(2);
  check_fails<ErrorCode::config>([&] { check(1); },
                                 {"parameters of the teacher", ".heads = 1", ".heads = 2"});
}
