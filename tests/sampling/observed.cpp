// SPDX-License-Identifier: MIT
// What else a call of sample takes: an observer, clipping, the caller's noise and memory.
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/model/clipped.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/sampling/dpm_solver_plus_plus_2m.hpp>
#include <consistency/sampling/multistep.hpp>
#include <consistency/sampling/ode_sampler.hpp>
#include <consistency/sampling/sample.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/exact.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

auto const f = ConsistencyFunction{GaussianNetwork{.shape = {3}}};
auto const D = Denoiser{GaussianNetwork{.shape = {3}}};
auto const theta = f.initialize<double>({});
auto const multistep = Multistep{.times = {5, 1}};

}  // namespace

TEST_CASE("an observer sees every evaluation, its time and its batch, and changes nothing") {
  auto const settings = SampleSettings{.seed = 2, .count = 5, .batch = 2};
  std::vector<double> times;
  std::vector<Index> numbers, firsts;
  auto const x = sample(f, theta, multistep, settings, [&](Evaluation<T> const& e) {
    CHECK(e.x.shape() == e.estimate.shape());
    CHECK(e.count == 5);
    CHECK(distance(e.estimate, f(theta, e.x, e.t)) == 0);
    times.push_back(e.t[0]), numbers.push_back(e.number), firsts.push_back(e.first);
  });
  CHECK(times == std::vector<double>{80, 5, 1, 80, 5, 1, 80, 5, 1});
  CHECK(numbers == std::vector<Index>{0, 1, 2, 0, 1, 2, 0, 1, 2});
  CHECK(firsts == std::vector<Index>{0, 0, 0, 2, 2, 2, 4, 4, 4});
  CHECK(same_bits(x, sample(f, theta, multistep, settings)));
}

TEST_CASE("an observer that stops ends every sampler at the estimate it has seen") {
  auto const check = [&](auto const& function, auto const& sampler, double allowed) {
    T seen;
    Index calls = 0;
    auto const x = sample(function, theta, sampler, {.seed = 2, .count = 4}, [&](Evaluation<T> const& e) {
      ++calls;
      seen = e.estimate.clone();
      return e.number < 1;
    });
    CHECK(calls == 2);
    CHECK(distance(x, seen) <= allowed);
  };
  check(f, multistep, 0);
  check(D, OdeSampler<Heun>{}, 1e-9);
  check(D, DpmSolverPlusPlus2M{}, 1e-9);
}

TEST_CASE("a clipped function gives numbers in its range to every sampler, and the same ones inside") {
  auto const check = [&](auto const& function, auto const& sampler) {
    auto const settings = SampleSettings{.seed = 2, .count = 50};
    auto const free = sample(function, theta, sampler, settings);
    auto const wide = sample(Clipped{function, -1e3, 1e3}, theta, sampler, settings);
    CHECK(same_bits(wide, free));
    Index at_ends = 0;
    auto const narrow = sample(Clipped{function, 0.1, 0.4}, theta, sampler, settings);
    for (auto const v : narrow.values()) {
      CHECK((v >= 0.1 && v <= 0.4));
      at_ends += v == 0.1 || v == 0.4 ? 1 : 0;
    }
    CHECK(at_ends > 10);
  };
  check(f, OneStep{});
  check(f, multistep);
  check(D, DpmSolverPlusPlus2M{});
  // Ends of a range are what x becomes, and the middle is left alone; of a bare function too.
  auto const identity = [](T const& x, T const&) { return x; };
  T const x{{3, 1}, std::vector{-5.0, 0.25, 7.0}};
  CHECK(same_bits(Clipped{identity}(x, x), T{{3, 1}, std::vector{-1.0, 0.25, 1.0}}));
  check_fails<ErrorCode::config>([&] { Clipped(identity, 1, -1); }, {"Clipped", "1 and -1", "smallest"});
}

TEST_CASE("the caller's noise stands for that of the seed, in any batch") {
  auto const drawn = normal<float>({5, 3}, {2, stream::sampling}, {0, 0});
  auto const own = SampleSettings{.seed = 2, .count = 5, .batch = 2, .noise = drawn};
  CHECK(distance(sample(f, theta, multistep, own), sample(f, theta, multistep, {.seed = 2, .count = 5})) <
        1e-5);
  auto const zero = sample(f, theta, OneStep{}, {.count = 5, .noise = Tensor<float>{{5, 3}, 0.0F}});
  T const expected = f(theta, T{{5, 3}, 0.0}, T{{5, 1}, 80.0});
  CHECK(same_bits(zero, expected));
  check_fails<ErrorCode::shape>([&] { sample(f, theta, OneStep{}, {.count = 4, .noise = drawn}); },
                                {"sample", "noise", "(5, 3)", "(4, 3)"});
}

TEST_CASE(
    "samples in the caller's memory are those that are returned, and memory of another size is refused") {
  auto const settings = SampleSettings{.seed = 2, .count = 5, .batch = 2};
  auto const x = sample(f, theta, multistep, settings);
  std::vector<double> memory(15, -1);
  sample_into<decltype(f), T>(memory, f, PreparedParameters{theta}, multistep, settings);
  CHECK(std::equal(memory.begin(), memory.end(), x.data()));
  std::vector<double> small(14, -1);
  check_fails<ErrorCode::shape>(
      [&] { sample_into<decltype(f), T>(small, f, PreparedParameters{theta}, multistep, settings); },
      {"sample_into", "14", "15", "5 samples of (3)"});
  CHECK(small == std::vector<double>(14, -1));
}
