// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/core/type_name.hpp>

namespace consistency::test {

struct Plain {};
template <class... T>
struct Of {};
namespace {
struct Hidden {};
}  // namespace

}  // namespace consistency::test

using namespace consistency;
using namespace consistency::test;

TEST_CASE("a type is named without its namespaces, whichever compiler writes it") {
  CHECK(type_name<float>() == "float");
  CHECK(type_name<Plain>() == "Plain");
  CHECK(type_name<Of<Plain, Of<Of<Plain>>>>() == "Of<Plain, Of<Of<Plain>>>");
  CHECK(type_name<Of<Hidden, unsigned char>>() == "Of<Hidden, unsigned char>");
}
