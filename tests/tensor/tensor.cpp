// SPDX-License-Identifier: MIT
#include <array>
#include <complex>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/tensor/tensor.hpp>

using namespace consistency;

// Sanitizers end a program that asks for too much memory unless they are told to return null.
extern "C" char const* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" char const* __tsan_default_options() { return "allocator_may_return_null=1"; }

namespace {

auto const six = std::array{1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F};

Tensor<float> numbered() { return {Shape{2, 3}, std::span<float const>{six}}; }

}  // namespace

TEST_CASE("an undefined tensor has no numbers") {
  Tensor<float> const none;
  CHECK_FALSE(none.defined());
  CHECK_FALSE(none.unique());
  CHECK(none.data() == nullptr);
}

TEST_CASE("a tensor is made of a value or of values in row-major order") {
  auto const zeros = Tensor<double>{Shape{3}, 0.0};
  CHECK(zeros[2] == 0.0);
  auto const x = numbered();
  CHECK(x.defined());
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.count() == 6);
  CHECK(x[0] == 1.0F);
  CHECK(x[5] == 6.0F);
  CHECK(std::vector<float>(x.values().begin(), x.values().end()) ==
        std::vector<float>(six.begin(), six.end()));
}

TEST_CASE("a tensor rejects a wrong number of values and says how many it needs") {
  try {
    Tensor<float>{Shape{2, 2}, std::span<float const>{six}};
    FAIL("no error");
  } catch (shape_error const& e) {
    CHECK(e.report().found == "6");
    CHECK(e.report().expected == "4 for shape (2, 2)");
  }
}

TEST_CASE("copies share numbers and clones do not") {
  auto x = numbered();
  CHECK(x.unique());
  auto const copy = x;
  auto const clone = x.clone();
  CHECK_FALSE(x.unique());
  CHECK(clone.unique());
  x.mutable_data()[0] = 9.0F;
  CHECK(copy[0] == 9.0F);
  CHECK(clone[0] == 1.0F);
}

TEST_CASE("a tensor is unique again when its copies are gone") {
  auto const x = numbered();
  {
    auto const copy = x;
    CHECK_FALSE(x.unique());
  }
  CHECK(x.unique());
}

TEST_CASE("moving a tensor moves its numbers") {
  auto x = numbered();
  auto const* const data = x.data();
  auto y = std::move(x);
  CHECK(y.data() == data);
  CHECK(y.unique());
  CHECK_FALSE(x.defined());  // NOLINT(bugprone-use-after-move): that is the test
  x = std::move(y);
  CHECK(x.unique());
  CHECK(x[5] == 6.0F);
}

TEST_CASE("assignment works for the same tensor and for its own view") {
  auto x = numbered();
  auto& same = x;
  x = same;
  CHECK(x.unique());
  CHECK(x[3] == 4.0F);
  x = x.view(3, Shape{3});
  CHECK(x.shape() == Shape{3});
  CHECK(x[0] == 4.0F);
  CHECK(x.unique());
}

TEST_CASE("a view keeps its numbers alive") {
  auto const view = numbered().view(2, Shape{2, 2});
  CHECK(view.unique());
  CHECK(view[0] == 3.0F);
  CHECK(view[3] == 6.0F);
}

TEST_CASE("reshaping shares numbers and rejects another count") {
  auto const x = numbered();
  CHECK(x.reshaped(Shape{3, 2}).data() == x.data());
  CHECK(x.reshaped(Shape{6, 1}).shape() == Shape{6, 1});
  CHECK_THROWS_AS(x.reshaped(Shape{4}), shape_error);
}

TEST_CASE("a tensor without numbers still knows its shape") {
  auto const x = numbered();
  auto const bare = x.without_numbers();
  CHECK_FALSE(bare.defined());
  CHECK(bare.shape() == Shape{2, 3});
  CHECK(x.unique());
}

TEST_CASE_TEMPLATE("the numbers of every tensor begin at 64 bytes", T, Tensor<float>, Tensor<double>,
                   Tensor<float, Reference>, Tensor<std::complex<double>, Reference>) {
  for (Index const count : {0, 1, 3, 64, 1000})
    CHECK(reinterpret_cast<std::uintptr_t>(T{Shape{count}}.data()) % 64 == 0);
}

TEST_CASE("a tensor of a shape seen before asks nothing of the system") {
  { Tensor<float> const first{Shape{123, 457}}; }
  auto const before = MemoryPool::instance().system_allocations();
  for (int i = 0; i < 10; ++i) Tensor<float> const again{Shape{123, 457}};
  CHECK(MemoryPool::instance().system_allocations() == before);
}

TEST_CASE("a tensor whose bytes cannot be counted or had is a resource_error") {
  auto const most = std::numeric_limits<Index>::max();
  CHECK_THROWS_AS((Tensor<float>{Shape{most}}), resource_error);
  CHECK_THROWS_AS((Tensor<double>{Shape{Index{1} << 62}}), resource_error);
  CHECK_THROWS_AS((Tensor<double>{Shape{Index{1} << 61}}), resource_error);
  CHECK_THROWS_AS((Tensor<double>{Shape{Index{1} << 55}}), resource_error);
}
