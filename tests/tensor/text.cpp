// SPDX-License-Identifier: MIT
#include <complex>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/text.hpp>

#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

constexpr auto not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr auto inf = std::numeric_limits<float>::infinity();

Tensor<float> counted_up(Shape shape) {
  Tensor<float> x{shape};
  for (Index i = 0; i < x.count(); ++i) x.mutable_data()[i] = static_cast<float>(i);
  return x;
}
/// The lines after the first.
template <class X>
std::string numbers(X const& x, TextSettings settings = {}) {
  auto const all = text(x, settings);
  return all.substr(all.find('\n') + 1);
}

}  // namespace

TEST_CASE("a tensor's text begins with its type and shape") {
  CHECK(text(counted_up({2, 3})).starts_with("Tensor<float, Cpu> (2, 3)\n"));
  CHECK(text(Tensor<double, Reference>(Shape{1}, 0.5)) == "Tensor<double, Reference> (1)\n[0.5]");
}

TEST_CASE("rows stand in nested brackets, numbers in columns at the decimal point") {
  CHECK(numbers(tensor<float>({2, 3}, {1, 2.5F, -3, 100.25F, 0.1F, 7})) ==
        "[[  1      2.5   -3   ]\n"
        " [100.25   0.1    7   ]]");
  CHECK(numbers(counted_up({2, 2, 2})) ==
        "[[[0 1]\n"
        "  [2 3]]\n"
        "\n"
        " [[4 5]\n"
        "  [6 7]]]");
}

TEST_CASE("a number reads back as itself, and one that is not finite has its name") {
  CHECK(numbers(tensor<float>({2}, {0.1F, 1.0F / 3})) == "[0.1        0.33333334]");
  CHECK(numbers(Tensor<double>(Shape{1}, 1.0 / 3)) == "[0.3333333333333333]");
  CHECK(numbers(tensor<float>({4}, {not_a_number, inf, -inf, 1})) == "[ nan  inf -inf    1]");
  CHECK(numbers(tensor<float>({2}, {1e-20F, 1})) == "[1e-20 1    ]");
}

TEST_CASE("a single number, an empty tensor and an undefined one have texts too") {
  CHECK(text(Tensor<float>(Shape{}, 3.5F)) == "Tensor<float, Cpu> ()\n3.5");
  CHECK(text(Tensor<float>(Shape{0, 3})) == "Tensor<float, Cpu> (0, 3)\n[]");
  CHECK(text(Tensor<float>{}) == "Tensor<float, Cpu> undefined ()");
}

TEST_CASE("of more than a thousand numbers the edges are shown") {
  CHECK(numbers(counted_up({1000})).find("...") == std::string::npos);
  CHECK(numbers(counted_up({1001})) == "[   0    1    2 ...  998  999 1000]");
  CHECK(numbers(counted_up({500, 4})) ==
        "[[   0    1    2    3]\n"
        " [   4    5    6    7]\n"
        " [   8    9   10   11]\n"
        " ...\n"
        " [1988 1989 1990 1991]\n"
        " [1992 1993 1994 1995]\n"
        " [1996 1997 1998 1999]]");
  CHECK(numbers(counted_up({10}), {.summarised = 9, .edge = 1}) == "[0 ... 9]");
  CHECK(numbers(counted_up({10}), {.summarised = 9, .edge = 0}) == "[...]");
}

TEST_CASE("columns are as wide as the numbers that are shown need") {
  auto x = counted_up({1001});
  x.mutable_data()[500] = 1e8F;
  CHECK(numbers(x) == "[   0    1    2 ...  998  999 1000]");
}

TEST_CASE("a long row goes on in the next line, under its first number") {
  auto const all = numbers(counted_up({12}), {.width = 20});
  CHECK(all ==
        "[ 0  1  2  3  4  5\n"
        "  6  7  8  9 10 11]");
}

TEST_CASE("complex numbers show both parts, and a chain is computed") {
  using C = std::complex<double>;
  CHECK(numbers(Tensor<C, Reference>(Shape{1}, C{1.5, -2})) == "[1.5-2i]");
  auto const x = Tensor<float>(Shape{1}, 1.5F);
  CHECK(text(x + x) == "Tensor<float, Cpu> (1)\n[3]");
}
