// SPDX-License-Identifier: MIT
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/condition/class_labels.hpp>
#include <consistency/network/image_classifier.hpp>
#include <consistency/optimizer/adam.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/training/classification.hpp>
#include <consistency/training/trainer.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

auto const network = ImageClassifier{{.channels = {4, 6}, .classes = 3, .image = {4, 8, 2}}};
auto const method = Classification{.f = Classifier{network}};

/// Images of three classes, each a pattern under noise.
template <class S>
Batch<Tensor<S>> batch(Index n, std::uint64_t seed) {
  ClassLabels labels{.labels = {}, .classes = 3};
  auto const patterns = normal<S>({3, 4, 8, 2}, Key{77});
  Tensor<S> x = 0.3 * normal<S>({n, 4, 8, 2}, Key{seed});
  for (Index i = 0; i < n; ++i) {
    auto const label = static_cast<Index>((static_cast<std::uint64_t>(i) * 7 + seed) % 3);
    labels.labels.push_back(label);
    for (Index k = 0; k < 64; ++k) x.mutable_data()[64 * i + k] += S(0.4) * patterns[64 * label + k];
  }
  return {x, to_numbers<Tensor<S>>(Condition<Tensor<float>>{labels})};
}

}  // namespace

TEST_CASE("the loss is the cross-entropy of the class of each image, for logits of any size") {
  auto theta = method.f.initialize<Tensor<double>>(Key{1});
  auto const data = batch<double>(5, 1);
  for (auto const scale : {1.0, 3000.0}) {
    for (auto& v : theta.flat().mutable_values()) v *= scale;
    auto const s = method.f(theta, data.x0);  // (5, 3)
    double expected = 0;
    for (Index i = 0; i < 5; ++i) {
      double largest = s[3 * i], sum = 0, own = 0;
      for (Index k = 0; k < 3; ++k) largest = std::max(largest, s[3 * i + k]);
      for (Index k = 0; k < 3; ++k) {
        sum += std::exp(s[3 * i + k] - largest);
        own += s[3 * i + k] * data.condition.features()[3 * i + k];
      }
      expected += (std::log(sum) + largest - own) / 5;
    }
    auto const found = evaluated(method.loss(theta, theta, data, method.draw(data.x0, 0, Key{})));
    CHECK(found[0] == doctest::Approx(expected).epsilon(1e-12));
    CHECK(std::isfinite(found[0]));
  }
}

TEST_CASE("its gradient is the one that finite differences find") {
  auto const theta = method.f.initialize<Tensor<double>>(Key{1});
  auto const data = batch<double>(4, 1);
  auto const loss = [&](auto const& parameters) {
    return method.loss(parameters, theta, data, method.draw(data.x0, 0, Key{}));
  };
  auto gradient = Parameters<Tensor<double>>{theta.table()};
  Tape<Tensor<double>> tape;
  Parameters<Variable<Tensor<double>>> watched;
  watched.watch(tape, theta, gradient);
  tape.backward(loss(watched));
  for (Index i = 0; i < theta.flat().count(); i += 37) {
    auto const moved = [&](double by) {
      auto copy = theta;
      copy.flat().mutable_data()[i] += by;
      return evaluated(loss(copy))[0];
    };
    auto const expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
    CAPTURE(i);
    CHECK(std::abs(gradient.flat()[i] - expected) < 1e-7);
  }
}

TEST_CASE("a trainer learns to tell classes apart by it") {
  Trainer trainer{method, Adam{.learning_rate = 1e-2}, method.f.initialize(Key{1}), {.key = Key{2}}};
  for (Index k = 0; k < 60; ++k) trainer.step(batch<float>(32, static_cast<std::uint64_t>(k)));
  auto const test = batch<float>(200, 1000);
  auto const s = method.f(trainer.theta(), test.x0);  // (200, 3)
  Index right = 0;
  for (Index i = 0; i < 200; ++i) {
    Index best = 0;
    for (Index k = 1; k < 3; ++k)
      if (s[3 * i + k] > s[3 * i + best]) best = k;
    right += test.condition.features()[3 * i + best] == 1 ? 1 : 0;
  }
  CHECK(right > 190);
}

TEST_CASE("images without their classes, and sides that do not halve, are rejected") {
  Trainer trainer{method, Adam{}, method.f.initialize(Key{1}), {.key = Key{2}}};
  check_fails<ErrorCode::config>([&] { trainer.step(batch<float>(4, 1).x0); },
                                 {"Classification", "0 features", "3, as there are classes"});
  check_fails<ErrorCode::config>(
      [] {
        ImageClassifier{{.image = {30, 28, 1}}};
      },
      {"ImageClassifier", "(30, 28, 1)", "divisible by 4"});
  CHECK(ImageClassifier{}.parameters().count() < 75000);
}
