// SPDX-License-Identifier: MIT
#include <cmath>
#include <complex>
#include <cstddef>

#include <consistency/tensor/tensor.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

template <class S>
using Real = decltype(std::abs(S{}));

template <class S, class B>
Tensor<S, B> counted_up(Shape shape) {
  Tensor<S, B> x{shape};
  for (Index i = 0; i < x.count(); ++i) x.mutable_data()[i] = S(static_cast<Real<S>>(i));
  return x;
}

}  // namespace

TEST_CASE_TEMPLATE("x(i, j, k, l) is the number that row-major order has there", S, float,
                   std::complex<double>) {
  auto const x = counted_up<S, Reference>({2, 3, 4, 5});
  for (Index i = 0, at = 0; i < 2; ++i)
    for (Index j = 0; j < 3; ++j)
      for (Index k = 0; k < 4; ++k)
        for (Index l = 0; l < 5; ++l) CHECK(x(i, j, k, l) == S(static_cast<Real<S>>(at++)));
}

TEST_CASE("a number takes no index and a vector one, of any integer type") {
  CHECK(Tensor<double>(Shape{}, 3.5)() == 3.5);
  auto const v = counted_up<float, Cpu>({4});
  CHECK(v(std::size_t{3}) == 3);
  CHECK(v(short{2}) == 2);
}

TEST_CASE("indices of a part count from where the part begins") {
  auto const x = counted_up<float, Cpu>({4, 3});
  CHECK(x.view(3, Shape{2, 3})(1, 2) == 8);
}

TEST_CASE("an index outside its axis is rejected by its number, its axis and the shape") {
  auto const x = counted_up<float, Cpu>({2, 3});
  check_fails<ErrorCode::shape>([&] { return x.operator()<true>(1, 3); },
                                {"shape (2, 3)", "index of axis 1", "found 3", "expected 0 to 2"});
  check_fails<ErrorCode::shape>([&] { return x.operator()<true>(-1, 0); },
                                {"index of axis 0", "found -1", "expected 0 to 1"});
  check_fails<ErrorCode::shape>(
      [] {
        return Tensor<float>(Shape{0, 2}).operator()<true>(0, 0);
      },
      {"index of axis 0", "the axis is empty"});
}

TEST_CASE("as many indices as axes are needed, and an undefined tensor has no numbers") {
  auto const x = counted_up<float, Cpu>({2, 3});
  check_fails<ErrorCode::shape>([&] { return x.operator()<true>(1); },
                                {"shape (2, 3)", "number of indices", "found 1", "expected 2"});
  check_fails<ErrorCode::shape>([&] { return x.operator()<true>(0, 0, 0); }, {"found 3", "expected 2"});
  check_fails<ErrorCode::shape>([] { return Tensor<float>{}.operator()<true>(); }, {"an undefined tensor"});
}

TEST_CASE("without checks nothing can be thrown, and with assertions checks are on") {
  auto const x = counted_up<float, Cpu>({2, 3});
  static_assert(noexcept(x.operator()<false>(0, 0)));
  CHECK(x.operator()<false>(1, 1) == 4);
#if defined(_GLIBCXX_ASSERTIONS) || !defined(NDEBUG)
  CHECK_THROWS_AS(x(2, 0), shape_error);
#else
  static_assert(noexcept(x(2, 0)));
#endif
}
