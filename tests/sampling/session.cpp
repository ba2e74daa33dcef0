// SPDX-License-Identifier: MIT
#include <atomic>
#include <cmath>
#include <limits>
#include <span>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/condition/class_labels.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/sampling/multistep.hpp>
#include <consistency/sampling/ode_sampler.hpp>
#include <consistency/sampling/session.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

auto const f = ConsistencyFunction{Mlp{{.dimensions = 3, .width = 16, .layers = 2, .embedding = 4}}};
auto const theta = f.initialize({1});
auto const g = ConsistencyFunction{
    Mlp{{.dimensions = 3, .width = 16, .layers = 2, .embedding = 4, .condition = {.features = 2}}}};
auto const theta_g = g.initialize({2});

std::vector<float> numbers(Tensor<float> const& x) { return {x.values().begin(), x.values().end()}; }

}  // namespace

TEST_CASE("a session draws the samples of sample, of a seed, of the caller's noise and under a condition") {
  std::vector<float> out(12);
  SamplingSession session{f, theta, Multistep{.times = {5, 1}}, {.batch = 4}};
  session.draw(out, {.seed = 3, .first = 2});
  CHECK(out == numbers(sample(f, theta, Multistep{.times = {5, 1}}, {.seed = 3, .count = 4, .first = 2})));
  auto const noise = normal<float>({4, 3}, {9});
  session.draw(out, {.seed = 3, .noise = noise.values()});
  CHECK(out ==
        numbers(sample(f, theta, Multistep{.times = {5, 1}}, {.seed = 3, .count = 4, .noise = noise})));

  SamplingSession conditional{g, theta_g, OneStep{}, {.batch = 4, .threads = 2}};
  auto const labels = ClassLabels{.labels = {0, 1, 1, 0}, .classes = 2};
  conditional.draw(out, {.seed = 3, .condition = labels.features().values()});
  CHECK(out == numbers(sample(g, theta_g, OneStep{}, {.seed = 3, .count = 4, .condition = labels})));

  auto const D = Denoiser{f.network()};
  SamplingSession denoising{D, theta, OdeSampler<>{.steps = 3}};
  denoising.draw(std::span{out}.first(3), {.seed = 3});
  CHECK(std::vector(out.begin(), out.begin() + 3) ==
        numbers(sample(D, theta, OdeSampler<>{.steps = 3}, {.seed = 3})));
}

TEST_CASE("a session takes conditions and gives samples in the numbers of the data") {
  auto const data = Normalizer{.scale = {0.5, 0.5, 0.25}, .offset = {-0.5, -1, -0.75}};
  auto const condition = Normalizer{.scale = {0.5, 1}, .offset = {-5, 0}};
  SamplingSession plain{g, theta_g};
  SamplingSession scaled{g, theta_g, OneStep{}, {.data = data, .condition = condition}};
  std::vector<float> x(3), y(3);
  plain.draw(x, {.seed = 1, .condition = std::vector{2.0F, 1.0F}});
  scaled.draw(y, {.seed = 1, .condition = std::vector{14.0F, 1.0F}});
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(y[i] == static_cast<float>((x[i] - data.offset[i]) / data.scale[i]));
}

TEST_CASE("an observer sees how far a draw is, and ends it") {
  std::vector<float> out(3);
  SamplingSession session{f, theta, Multistep{.times = {5, 1, 0.5}}};
  Index seen = 0;
  session.draw(out, {.seed = 1}, [&](auto const& e) { return seen = e.number + 1, seen < 2; });
  CHECK(seen == 2);
  CHECK(out == numbers(sample(f, theta, Multistep{.times = {5}}, {.seed = 1})));
}

TEST_CASE("sessions of several threads draw at once, each what it draws alone") {
  auto const prepared = PreparedParameters{theta};
  std::vector<std::vector<float>> drawn(4, std::vector<float>(6));
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      SamplingSession session{f, prepared, OneStep{}, {.batch = 2, .threads = 1 + i % 2}};
      for (int k = 0; k < 50; ++k) session.draw(drawn[i], {.seed = i});
    });
  for (auto& thread : threads) thread.join();
  for (unsigned i = 0; i < 4; ++i)
    CHECK(drawn[i] == numbers(sample(f, theta, OneStep{}, {.seed = i, .count = 2})));
}

TEST_CASE("a session of one thread never wakes the process's pool, even inside a loop of it") {
  set_threads(2);
  SamplingSession session{f, theta, OneStep{}, {.batch = 64}};
  std::vector<float> out(192);
  session.draw(out, {}, [](auto const&) { CHECK(threads() == 1); });
  CHECK(threads() == 2);
  parallel_for(2, [&](Index i) {
    if (i == 1) session.draw(out, {});
  });
  CHECK(out == numbers(sample(f, theta, OneStep{}, {.count = 64})));
}

TEST_CASE("two threads in one session, and memory of another size, are errors, and nothing is drawn") {
  SamplingSession session{g, theta_g, OneStep{}, {.batch = 2}};
  std::vector<float> out(6, 7.0F), more(9), condition(4);
  session.draw(out, {.condition = condition}, [&](auto const&) {
    std::thread{[&] {
      check_fails<ErrorCode::config>([&] { session.draw(more, {}); },
                                     {"SamplingSession", "two threads", "one"});
    }}.join();
  });
  auto const before = out;
  auto const fails = [&](std::span<float> to, DrawSettings const& settings,
                         std::initializer_list<std::string_view> words) {
    check_fails<ErrorCode::shape>([&] { session.draw(to, settings); }, words);
  };
  fails(more, {.condition = condition}, {"numbers of memory", "found 9", "3 for each of 1 to 2 samples"});
  fails({}, {}, {"numbers of memory", "found 0"});
  fails(std::span{out}.first(4), {.condition = condition}, {"found 4"});
  fails(out, {.condition = condition, .noise = more}, {"numbers of noise", "found 9", "expected 6"});
  fails(out, {}, {"numbers of the condition", "found 0", "2 for each of 2 samples"});
  fails(std::span{out}.first(3), {.condition = condition}, {"found 4", "2 for each of 1 samples"});
  condition[3] = std::numeric_limits<float>::quiet_NaN();
  check_fails<ErrorCode::numeric>([&] { session.draw(out, {.condition = condition}); },
                                  {"condition, number 3", "nan"});
  check_fails<ErrorCode::config>(
      [&] { session.draw(out, {.first = -1, .condition = std::vector<float>(4)}); }, {"samples"});
  CHECK(out == before);
}

TEST_CASE("a session is not made of settings that cannot be") {
  check_fails<ErrorCode::config>([] { SamplingSession(f, theta, OneStep{}, {.batch = 0}); },
                                 {"batch", "found 0"});
  check_fails<ErrorCode::config>([] { SamplingSession(f, theta, OneStep{}, {.threads = 0}); },
                                 {"threads", "found 0"});
  check_fails<ErrorCode::config>([] { SamplingSession(f, theta, Multistep{.times = {90}}); },
                                 {"times[0]", "90"});
  check_fails<ErrorCode::config>(
      [] { SamplingSession(f, theta, OneStep{}, {.data = {.scale = {1}, .offset = {1}}}); },
      {"1 and 1", "3 each"});
  auto broken = theta;
  broken.flat().mutable_data()[0] = std::numeric_limits<float>::infinity();
  check_fails<ErrorCode::numeric>([&] { SamplingSession(f, broken); }, {"sample 0"});
}
