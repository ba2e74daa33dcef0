#include <type_traits>

#include <doctest/doctest.h>

#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/reference.hpp>

#include "../tensor/cases.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// Root mean square relative error that is allowed against the reference in double. Winograd's transforms
/// cost convolutions one bit.
template <class S, class Op>
inline constexpr double tolerance = !std::is_same_v<S, float>        ? 1e-13
                                    : std::is_same_v<Op, op::Conv2d> ? 2e-6
                                                                     : 1e-6;

template <class S, class Op>
void agrees_with_reference() {
  Cases<Op>::each([](auto const& c) {
    CAPTURE(c.text());
    auto const x = operands<S>(c);
    std::array<Tensor<double, Reference>, std::tuple_size_v<decltype(c.shapes)>> exact;
    for (std::size_t k = 0; k < x.size(); ++k) exact[k] = convert<double, Reference>(x[k]);
    auto const error = relative_error(compute(c.op, x), compute(c.op, exact));
    CHECK(error <= tolerance<S, Op>);
  });
}

}  // namespace

TEST_CASE_TEMPLATE("every operation on the CPU agrees with the reference", S, float, double) {
  for_each_type(AllOps{}, []<class Op>() { agrees_with_reference<S, Op>(); });
}
