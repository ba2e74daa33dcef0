// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/core/random.hpp>
#include <consistency/tensor/cpu.hpp>

using namespace consistency;

namespace {

using Words = std::array<std::uint32_t, 4>;

/// Philox of counter words c and key words k, as Random123 writes its known answers.
Words answer(Words c, std::array<std::uint32_t, 2> k) {
  auto const seed = std::uint64_t{k[1]} << 32U | k[0];
  return philox(Key{seed, c[3]}, Counter{.step = c[2], .sample = c[1]}, c[0]);
}

struct Moments {
  double mean = 0, variance = 0, skewness = 0, kurtosis = 0;
};

template <class S>
Moments moments(Tensor<S> const& x) {
  auto const n = static_cast<double>(x.count());
  Moments m;
  for (auto const v : x.values()) m.mean += static_cast<double>(v) / n;
  auto third = 0.0;
  auto fourth = 0.0;
  for (auto const v : x.values()) {
    auto const d = static_cast<double>(v) - m.mean;
    m.variance += d * d / n;
    third += d * d * d / n;
    fourth += d * d * d * d / n;
  }
  m.skewness = third / std::pow(m.variance, 1.5);
  m.kurtosis = fourth / (m.variance * m.variance);
  return m;
}

template <class S>
double correlation(Tensor<S> const& x, Tensor<S> const& y) {
  auto sum = 0.0;
  for (Index i = 0; i < x.count(); ++i) sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
  return sum / static_cast<double>(x.count());
}

template <class S>
bool same_bits(std::span<S const> a, std::span<S const> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

}  // namespace

TEST_CASE("Philox gives the known answers of Random123") {
  CHECK(answer({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr auto ones = ~std::uint32_t{0};
  CHECK(answer({ones, ones, ones, ones}, {ones, ones}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(answer({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("every part of key and counter changes the draws") {
  auto const key = Key{7, stream::noise};
  auto const at = Counter{.step = 3, .sample = 5};
  auto const base = philox(key, at, 11);
  CHECK(philox(key, at, 11) == base);
  CHECK(philox(Key{8, stream::noise}, at, 11) != base);
  CHECK(philox(Key{7 + (std::uint64_t{1} << 32U), stream::noise}, at, 11) != base);
  CHECK(philox(key.with_stream(stream::times), at, 11) != base);
  CHECK(philox(key, {.step = 4, .sample = 5}, 11) != base);
  CHECK(philox(key, {.step = 3, .sample = 6}, 11) != base);
  CHECK(philox(key, at, 12) != base);
}

TEST_CASE("the library's streams have the numbers that stored states rely on") {
  CHECK(stream::initialization == 0);
  CHECK(stream::noise == 1);
  CHECK(stream::times == 2);
  CHECK(stream::data_order == 3);
  CHECK(stream::dropout == 4);
  CHECK(stream::sampling == 5);
  CHECK(stream::augmentation == 6);
}

TEST_CASE_TEMPLATE("uniform draws lie strictly between 0 and 1 for the extreme integers too", S, float,
                   double) {
  for (auto const bits :
       {0U, 1U, 0x7fffffffU, 0x80000000U, 0xffffff7fU, 0xffffff80U, 0xfffffffeU, 0xffffffffU}) {
    CAPTURE(bits);
    CHECK(to_uniform<S>(bits) > S(0));
    CHECK(to_uniform<S>(bits) < S(1));
  }
}

TEST_CASE_TEMPLATE("normal draws are finite for the extreme integers", S, float, double) {
  for (auto const a : {0U, 1U, 0x80000000U, 0xffffffffU})
    for (auto const b : {0U, 0x40000000U, 0x80000000U, 0xffffffffU}) {
      auto const [p, q] = to_normal(to_uniform<S>(a), to_uniform<S>(b));
      CHECK(std::isfinite(p));
      CHECK(std::isfinite(q));
      CHECK(std::hypot(p, q) < S(7));
    }
}

TEST_CASE_TEMPLATE("a million normal draws have the moments of N(0 1) within 5 standard errors", S, float,
                   double) {
  auto const x = normal<S>(Shape{1000, 1000}, Key{2024, stream::noise});
  auto const n = static_cast<double>(x.count());
  auto const m = moments(x);
  CHECK(std::abs(m.mean) < 5 * std::sqrt(1 / n));
  CHECK(std::abs(m.variance - 1) < 5 * std::sqrt(2 / n));
  CHECK(std::abs(m.skewness) < 5 * std::sqrt(6 / n));
  CHECK(std::abs(m.kurtosis - 3) < 5 * std::sqrt(24 / n));
}

TEST_CASE_TEMPLATE("a million uniform draws have the moments of U(0 1) within 5 standard errors", S, float,
                   double) {
  auto const x = uniform<S>(Shape{1000, 1000}, Key{2025, stream::times});
  auto const n = static_cast<double>(x.count());
  auto const m = moments(x);
  CHECK(std::abs(m.mean - 0.5) < 5 * std::sqrt(1 / 12.0 / n));
  CHECK(std::abs(m.variance - 1 / 12.0) < 5 * std::sqrt((1 / 80.0 - 1 / 144.0) / n));
  for (auto const v : x.values()) {
    REQUIRE(v > S(0));
    REQUIRE(v < S(1));
  }
}

TEST_CASE("normal draws follow the normal distribution function") {
  auto const x = normal<double>(Shape{1000000}, Key{11, stream::noise});
  auto sorted = std::vector<double>(x.values().begin(), x.values().end());
  std::sort(sorted.begin(), sorted.end());
  auto const n = static_cast<double>(sorted.size());
  auto distance = 0.0;  // of Kolmogorov and Smirnov
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    auto const f = 0.5 * std::erfc(-sorted[i] / std::sqrt(2.0));
    distance = std::max(
        {distance, std::abs(f - static_cast<double>(i) / n), std::abs(f - static_cast<double>(i + 1) / n)});
  }
  CHECK(distance * std::sqrt(n) < 2.5);  // probability of more: 7e-6
}

TEST_CASE("neighbours in any direction of the counter are uncorrelated") {
  auto const key = Key{5, stream::noise};
  auto const shape = Shape{1000, 200};
  auto const bound = 5 / std::sqrt(static_cast<double>(shape.count()));
  auto const x = normal<double>(shape, key);
  CHECK(std::abs(correlation(x, normal<double>(shape, key.with_stream(stream::times)))) < bound);
  CHECK(std::abs(correlation(x, normal<double>(shape, Key{6, stream::noise}))) < bound);
  CHECK(std::abs(correlation(x, normal<double>(shape, key, {.step = 1, .sample = 0}))) < bound);
  CHECK(std::abs(correlation(x, normal<double>(shape, key, {.step = 0, .sample = 1}))) < bound);
  auto const head = x.view(0, Shape{x.count() - 1});
  CHECK(std::abs(correlation(head, x.view(1, Shape{x.count() - 1}))) < bound);
}

TEST_CASE_TEMPLATE("draws do not depend on how a batch is split", S, float, double) {
  auto const key = Key{99, stream::noise};
  for (auto const& sample : {Shape{3, 5, 7}, Shape{1, 1, 1}, Shape{4, 4, 2}}) {
    auto const batch = [&](Index n) { return Shape{n, sample[0], sample[1], sample[2]}; };
    auto const whole = normal<S>(batch(8), key, {.step = 17, .sample = 100});
    auto const first = normal<S>(batch(4), key, {.step = 17, .sample = 100});
    auto const second = normal<S>(batch(4), key, {.step = 17, .sample = 104});
    auto const half = static_cast<std::size_t>(first.count());
    CHECK(same_bits(whole.values().first(half), first.values()));
    CHECK(same_bits(whole.values().last(half), second.values()));
    CHECK_FALSE(same_bits(first.values(), second.values()));

    auto const all = uniform<S>(batch(3), key, {.step = 1, .sample = 0});
    auto const last = uniform<S>(batch(1), key, {.step = 1, .sample = 2});
    CHECK(same_bits(all.values().last(static_cast<std::size_t>(last.count())), last.values()));
  }
}

TEST_CASE("draws exist for a number and for an empty batch") {
  CHECK(normal<float>(Shape{}, Key{1, 0}).count() == 1);
  CHECK(normal<float>(Shape{0, 3}, Key{1, 0}).count() == 0);
  CHECK(normal<float>(Shape{}, Key{1, 0})[0] == normal<float>(Shape{1}, Key{1, 0})[0]);
}
