// SPDX-License-Identifier: MIT
#include <array>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/reference.hpp>

#include "../support/fails.hpp"
#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// What an operation must reject. An operation without a list does not compile; some reject nothing.
template <class Op>
struct ShapeMismatches;

template <>
struct ShapeMismatches<op::SumTo> {
  static void each(auto const& check) {
    check(make_case(op::SumTo{{4}}, Shape{2, 3}));
    check(make_case(op::SumTo{{2}}, Shape{2, 3}));
    check(make_case(op::SumTo{{2, 3}}, Shape{3}));
    check(make_case(op::SumTo{{1, 3}}, Shape{3}));
    check(make_case(op::SumTo{{2, 3}}, Shape{1, 3}));
  }
};
template <>
struct ShapeMismatches<op::BroadcastTo> {
  static void each(auto const& check) {
    check(make_case(op::BroadcastTo{{2, 3}}, Shape{4}));
    check(make_case(op::BroadcastTo{{3}}, Shape{2, 3}));
    check(make_case(op::BroadcastTo{{1, 3}}, Shape{2, 3}));
  }
};
template <>
struct ShapeMismatches<op::Reshape> {
  static void each(auto const& check) { check(make_case(op::Reshape{{2, 4}}, Shape{2, 3})); }
};
template <>
struct ShapeMismatches<op::Concat> {
  static void each(auto const& check) {
    check(make_case(op::Concat{}, Shape{2, 3}, Shape{3, 3}));
    check(make_case(op::Concat{}, Shape{2, 3}, Shape{2, 3, 1}));
    check(make_case(op::Concat{}, Shape{}, Shape{}));
  }
};
template <>
struct ShapeMismatches<op::Slice> {
  static void each(auto const& check) {
    check(make_case(op::Slice{-1, 2}, Shape{2, 3}));
    check(make_case(op::Slice{2, 1}, Shape{2, 3}));
    check(make_case(op::Slice{0, 4}, Shape{2, 3}));
    check(make_case(op::Slice{0, 0}, Shape{}));
  }
};
template <>
struct ShapeMismatches<op::Linear> {
  static void each(auto const& check) {
    check(make_case(op::Linear{}, Shape{2, 3}, Shape{4, 5}));
    check(make_case(op::Linear{}, Shape{2, 3}, Shape{3}));
    check(make_case(op::Linear{}, Shape{2, 3}, Shape{3, 5, 1}));
    check(make_case(op::Linear{}, Shape{}, Shape{1, 1}));
    check(make_case(op::Linear{}, Shape{2, 3}, Shape{3, 5}, Shape{4}));
    check(make_case(op::Linear{}, Shape{2, 3}, Shape{3, 5}, Shape{1, 5}));
    check(make_case(op::Linear{}, Shape{2, 3}, Shape{4, 5}, Shape{5}));
  }
};
template <>
struct ShapeMismatches<op::Conv2d> {
  static void each(auto const& check) {
    check(make_case(op::Conv2d{}, Shape{4, 4, 3}, Shape{3, 3, 3, 2}));
    check(make_case(op::Conv2d{}, Shape{1, 4, 4, 3}, Shape{3, 3, 4, 2}));
    check(make_case(op::Conv2d{}, Shape{1, 4, 4, 3}, Shape{3, 2, 3, 2}));
    check(make_case(op::Conv2d{}, Shape{1, 4, 4, 3}, Shape{2, 2, 3, 2}));
    check(make_case(op::Conv2d{}, Shape{1, 4, 4, 3}, Shape{3, 3, 2}));
    check(make_case(op::Conv2d{0}, Shape{1, 4, 4, 3}, Shape{3, 3, 3, 2}));
    check(make_case(op::Conv2d{-1}, Shape{1, 4, 4, 3}, Shape{3, 3, 3, 2}));
    check(make_case(op::Conv2d{}, Shape{1, 4, 4, 3}, Shape{3, 3, 3, 2}, Shape{3}));
    check(make_case(op::Conv2d{}, Shape{2, 4, 4, 3}, Shape{3, 3, 3, 2}, Shape{1, 1, 1, 2}));
    check(make_case(op::Conv2d{}, Shape{1, 4, 4, 3}, Shape{3, 3, 3, 2}, Shape{2}, Shape{1, 4, 4, 3}));
  }
};
template <>
struct ShapeMismatches<op::Upsample> {
  static void each(auto const& check) { check(make_case(op::Upsample{}, Shape{4, 4, 3})); }
};
template <>
struct ShapeMismatches<op::Blur> {
  static void each(auto const& check) { check(make_case(op::Blur{}, Shape{4, 4, 3})); }
};
template <>
struct ShapeMismatches<op::Downsample> {
  static void each(auto const& check) {
    check(make_case(op::Downsample{}, Shape{4, 4, 3}));
    check(make_case(op::Downsample{}, Shape{1, 3, 4, 3}));
    check(make_case(op::Downsample{}, Shape{1, 4, 5, 3}));
  }
};
template <>
struct ShapeMismatches<op::Resize> {
  static void each(auto const& check) {
    check(make_case(op::Resize{8, 8}, Shape{4, 4, 3}));
    check(make_case(op::Resize{0, 8}, Shape{1, 4, 4, 3}));
    check(make_case(op::Resize{8, -1}, Shape{1, 4, 4, 3}));
    check(make_case(op::Resize{8, 8}, Shape{1, 0, 4, 3}));
    check(make_case(op::Resize{8, 8, true}, Shape{1, 4, 0, 3}));
  }
};
template <>
struct ShapeMismatches<op::MaxPool> {
  static void each(auto const& check) {
    check(make_case(op::MaxPool{}, Shape{4, 4, 3}));
    check(make_case(op::MaxPool{}, Shape{1, 3, 4, 3}));
    check(make_case(op::MaxPool{}, Shape{1, 4, 5, 3}));
    check(make_case(op::MaxPool{}, Shape{1, 4, 4, 3}, Shape{1, 4, 4, 1}));
  }
};
template <>
struct ShapeMismatches<op::MaxPerSample> {
  static void each(auto const& check) {
    check(make_case(op::MaxPerSample{}, Shape{2, 0}));
    check(make_case(op::MaxPerSample{}, Shape{2, 3}, Shape{2, 4}));
  }
};
template <>
struct ShapeMismatches<op::SpaceToDepth> {
  static void each(auto const& check) {
    check(make_case(op::SpaceToDepth{2}, Shape{4, 4, 3}));
    check(make_case(op::SpaceToDepth{2}, Shape{1, 3, 4, 3}));
    check(make_case(op::SpaceToDepth{3}, Shape{1, 3, 4, 3}));
    check(make_case(op::SpaceToDepth{0}, Shape{1, 4, 4, 3}));
  }
};
template <>
struct ShapeMismatches<op::DepthToSpace> {
  static void each(auto const& check) {
    check(make_case(op::DepthToSpace{2}, Shape{4, 4, 4}));
    check(make_case(op::DepthToSpace{2}, Shape{1, 4, 4, 6}));
    check(make_case(op::DepthToSpace{0}, Shape{1, 4, 4, 4}));
  }
};
template <>
struct ShapeMismatches<op::GroupNorm> {
  static void each(auto const& check) {
    auto const groups = [](Index n) { return op::GroupNorm{.groups = n}; };
    check(make_case(groups(2), Shape{4, 4, 4}, Shape{4}, Shape{4}));
    check(make_case(groups(3), Shape{2, 4, 4, 4}, Shape{4}, Shape{4}));
    check(make_case(groups(0), Shape{2, 4, 4, 4}, Shape{4}, Shape{4}));
    check(make_case(groups(-2), Shape{2, 4, 4, 4}, Shape{4}, Shape{4}));
    check(make_case(groups(2), Shape{2, 4, 4, 4}, Shape{3}, Shape{3}));
    check(make_case(groups(2), Shape{2, 4, 4, 4}, Shape{1, 1, 1, 4}, Shape{1, 1, 1, 4}));
    check(make_case(groups(2), Shape{2, 4, 4, 4}, Shape{2, 4}, Shape{2, 4}));
    check(make_case(groups(2), Shape{2, 4, 4, 4}, Shape{4}, Shape{2, 1, 1, 4}));
  }
};
template <>
struct ShapeMismatches<op::Softmax> {
  static void each(auto const&) {}
};
template <>
struct ShapeMismatches<op::Attention> {
  static void each(auto const& check) {
    auto const run = [&](Index heads, Shape const& q, Shape const& k, Shape const& v) {
      check(make_case(op::Attention{heads}, q, k, v));
    };
    run(1, {4, 4}, {4, 4}, {4, 4});
    run(1, {2, 3, 4}, {1, 3, 4}, {1, 3, 4});
    run(1, {2, 3, 4}, {2, 3, 5}, {2, 3, 5});
    run(1, {2, 3, 4}, {2, 5, 4}, {2, 6, 4});
    run(1, {2, 3, 4}, {2, 0, 4}, {2, 0, 4});
    run(3, {2, 3, 4}, {2, 3, 4}, {2, 3, 4});
    run(0, {2, 3, 4}, {2, 3, 4}, {2, 3, 4});
  }
};
template <>
struct ShapeMismatches<op::AttentionScores> {
  static void each(auto const& check) {
    auto const heads = [](Index n) { return op::AttentionScores{.heads = n}; };
    check(make_case(heads(1), Shape{4, 4}, Shape{4, 4}));
    check(make_case(heads(1), Shape{2, 3, 4}, Shape{1, 3, 4}));
    check(make_case(heads(1), Shape{2, 3, 4}, Shape{2, 3, 5}));
    check(make_case(heads(3), Shape{2, 3, 4}, Shape{2, 3, 4}));
    check(make_case(heads(0), Shape{2, 3, 4}, Shape{2, 3, 4}));
  }
};
template <>
struct ShapeMismatches<op::AttentionMix> {
  static void each(auto const& check) {
    auto const transposed = op::AttentionMix{.transposed = true};
    check(make_case(op::AttentionMix{}, Shape{2, 3, 5}, Shape{2, 5, 4}));
    check(make_case(op::AttentionMix{}, Shape{2, 1, 3, 5}, Shape{1, 5, 4}));
    check(make_case(op::AttentionMix{}, Shape{2, 1, 3, 5}, Shape{2, 3, 4}));
    check(make_case(transposed, Shape{2, 1, 3, 5}, Shape{2, 5, 4}));
    check(make_case(op::AttentionMix{}, Shape{2, 3, 3, 5}, Shape{2, 5, 4}));
    check(make_case(op::AttentionMix{}, Shape{2, 0, 3, 5}, Shape{2, 5, 4}));
  }
};

/// At least two of the operands' shapes or of the settings' stand in the message, or the one that there is.
template <class Op, std::size_t N>
bool names_shapes(Case<Op, N> const& c, std::string const& message) {
  auto named = 0;
  for (auto const& s : c.shapes) named += message.find(s.text()) != std::string::npos ? 1 : 0;
  if constexpr (requires { c.op.target; })
    named += message.find(c.op.target.text()) != std::string::npos ? 1 : 0;
  return named >= (N > 1 || requires { c.op.target; } ? 2 : 1);
}

}  // namespace

TEST_CASE_TEMPLATE("every operation rejects operands that do not fit and names their shapes", B, Cpu,
                   Reference) {
  for_each_type(AllOps{}, []<class Op>() {
    ShapeMismatches<Op>::each([](auto const& c) {
      CAPTURE(c.text());
      try {
        compute(c.op, operands<float, B>(c));
        FAIL_CHECK("no error");
      } catch (shape_error const& e) {
        CHECK(names_shapes(c, e.what()));
        CHECK_FALSE(e.where().empty());
      }
    });
  });
}

TEST_CASE("extents that would wrap are rejected, where there are no numbers too") {
  constexpr auto large = Index{1} << 32, larger = Index{1} << 62;
  auto const rejected = [](auto const& op, auto const&... shapes) {
    check_fails<ErrorCode::shape>([&] { op.result(shapes...); }, {});
  };
  rejected(op::DepthToSpace{large}, Shape{1, 4, 4, 4});  // the square of the patch would be 0
  rejected(op::DepthToSpace{1 << 16}, Shape{1, 0, larger, 0});
  rejected(op::SpaceToDepth{large}, Shape{1, 0, 0, 3});
  rejected(op::Upsample{}, Shape{0, larger, 1, 1});
  rejected(op::Concat{}, Shape{0, larger}, Shape{0, larger});
}
