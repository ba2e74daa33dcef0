// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <typeinfo>

#include <consistency/autodiff/autodiff.hpp>

#include "../tensor/cases.hpp"

namespace consistency::test {

/// The file that tests an operation's derivatives.
enum class Group { layout, product, normalization };

/// What the derivatives of an operation are tested with:
///   group        the file that tests it
///   name         for messages
///   each(check)  check(case) for settings and operand shapes, small enough for whole Jacobians
/// An operation without a row does not compile, nor does one whose rule lacks vjp or jvp.
template <class Op>
struct Row;

template <>
struct Row<op::SumTo> {
  static constexpr auto group = Group::layout;
  static constexpr auto name = "sum_to";
  static void each(auto const& check) {
    auto const run = [&](Shape const& x, Shape const& target) { check(make_case(op::SumTo{target}, x)); };
    run({}, {});
    run({5}, {});
    run({3, 5}, {5});
    run({3, 5}, {3, 1});
    run({2, 3, 2, 3}, {3, 1, 3});
    run({2, 3, 2, 3}, {2, 1, 2, 1});
    run({2, 3, 2, 3}, {2, 3, 2, 3});
    run({0, 3}, {3});
  }
};

template <>
struct Row<op::BroadcastTo> {
  static constexpr auto group = Group::layout;
  static constexpr auto name = "broadcast_to";
  static void each(auto const& check) {
    auto const run = [&](Shape const& x, Shape const& target) {
      check(make_case(op::BroadcastTo{target}, x));
    };
    run({}, {});
    run({}, {5});
    run({5}, {3, 5});
    run({3, 1}, {3, 5});
    run({3, 1, 3}, {2, 3, 2, 3});
    run({2, 1, 2, 1}, {2, 3, 2, 3});
    run({3}, {0, 3});
  }
};

template <>
struct Row<op::Reshape> {
  static constexpr auto group = Group::layout;
  static constexpr auto name = "reshape";
  static void each(auto const& check) {
    check(make_case(op::Reshape{{}}, Shape{1, 1}));
    check(make_case(op::Reshape{{5, 6}}, Shape{2, 3, 5}));
    check(make_case(op::Reshape{{3, 0}}, Shape{0, 2}));
  }
};

template <>
struct Row<op::Concat> {
  static constexpr auto group = Group::layout;
  static constexpr auto name = "concat";
  static void each(auto const& check) {
    check(make_case(op::Concat{}, Shape{1}, Shape{1}));
    check(make_case(op::Concat{}, Shape{3, 2}, Shape{3, 5}));
    check(make_case(op::Concat{}, Shape{2, 2, 3, 1}, Shape{2, 2, 3, 4}));
    check(make_case(op::Concat{}, Shape{2, 17}, Shape{2, 16}));
    check(make_case(op::Concat{}, Shape{3, 0}, Shape{3, 2}));
    check(make_case(op::Concat{}, Shape{0, 3}, Shape{0, 2}));
  }
};

template <>
struct Row<op::Slice> {
  static constexpr auto group = Group::layout;
  static constexpr auto name = "slice";
  static void each(auto const& check) {
    check(make_case(op::Slice{0, 1}, Shape{1}));
    check(make_case(op::Slice{0, 5}, Shape{3, 5}));
    check(make_case(op::Slice{0, 3}, Shape{3, 5}));
    check(make_case(op::Slice{2, 5}, Shape{3, 5}));
    check(make_case(op::Slice{1, 4}, Shape{2, 2, 3, 5}));
    check(make_case(op::Slice{2, 2}, Shape{3, 5}));
    check(make_case(op::Slice{1, 3}, Shape{0, 5}));
  }
};

template <>
struct Row<op::Upsample> {
  static constexpr auto group = Group::layout;
  static constexpr auto name = "upsample";
  static void each(auto const& check) {
    check(make_case(op::Upsample{}, Shape{1, 1, 1, 1}));
    check(make_case(op::Upsample{}, Shape{2, 2, 3, 3}));
    check(make_case(op::Upsample{}, Shape{1, 3, 1, 17}));
    check(make_case(op::Upsample{}, Shape{0, 2, 2, 1}));
  }
};

template <>
struct Row<op::Blur> {
  static constexpr auto group = Group::layout;
  static constexpr auto name = "blur";
  static void each(auto const& check) {
    check(make_case(op::Blur{}, Shape{1, 1, 1, 1}));
    check(make_case(op::Blur{}, Shape{2, 2, 3, 3}));
    check(make_case(op::Blur{}, Shape{1, 3, 1, 17}));
    check(make_case(op::Blur{}, Shape{0, 2, 2, 1}));
  }
};

template <>
struct Row<op::Downsample> {
  static constexpr auto group = Group::layout;
  static constexpr auto name = "downsample";
  static void each(auto const& check) {
    check(make_case(op::Downsample{}, Shape{1, 2, 2, 1}));
    check(make_case(op::Downsample{}, Shape{2, 4, 6, 3}));
    check(make_case(op::Downsample{}, Shape{1, 2, 4, 17}));
    check(make_case(op::Downsample{}, Shape{0, 2, 2, 1}));
  }
};

template <>
struct Row<op::Resize> {
  static constexpr auto group = Group::layout;
  static constexpr auto name = "resize";
  static void each(auto const& check) {
    for (auto const adjoint : {false, true}) {
      auto const run = [&](Shape const& x, Index height, Index width) {
        for (auto const centre : {0.5, 0.0}) check(make_case(op::Resize{height, width, adjoint, centre}, x));
      };
      run({1, 1, 1, 1}, 1, 1);
      run({2, 3, 4, 2}, 3, 4);
      run({2, 3, 2, 3}, 5, 7);
      run({1, 7, 5, 2}, 3, 2);
      run({1, 1, 3, 17}, 4, 1);
      run({0, 2, 2, 1}, 3, 3);
    }
  }
};

template <>
struct Row<op::MaxPool> {
  static constexpr auto group = Group::layout;
  static constexpr auto name = "max_pool";
  static void each(auto const& check) {
    for (auto const& x : {Shape{1, 2, 2, 1}, Shape{2, 4, 6, 3}, Shape{1, 2, 4, 17}, Shape{0, 2, 2, 1}}) {
      check(make_case(op::MaxPool{}, x));
      check(make_case(op::MaxPool{}, x, x));
    }
  }
};

template <>
struct Row<op::MaxPerSample> {
  static constexpr auto group = Group::layout;
  static constexpr auto name = "max_per_sample";
  static void each(auto const& check) {
    for (auto const& x : {Shape{}, Shape{5}, Shape{3, 5}, Shape{2, 3, 2, 3}, Shape{0, 3}}) {
      check(make_case(op::MaxPerSample{}, x));
      check(make_case(op::MaxPerSample{}, x, x));
    }
  }
};

template <>
struct Row<op::SpaceToDepth> {
  static constexpr auto group = Group::layout;
  static constexpr auto name = "space_to_depth";
  static void each(auto const& check) {
    check(make_case(op::SpaceToDepth{1}, Shape{1, 1, 1, 1}));
    check(make_case(op::SpaceToDepth{2}, Shape{2, 4, 6, 3}));
    check(make_case(op::SpaceToDepth{3}, Shape{1, 6, 3, 2}));
    check(make_case(op::SpaceToDepth{2}, Shape{0, 2, 2, 1}));
  }
};

template <>
struct Row<op::DepthToSpace> {
  static constexpr auto group = Group::layout;
  static constexpr auto name = "depth_to_space";
  static void each(auto const& check) {
    check(make_case(op::DepthToSpace{1}, Shape{1, 1, 1, 1}));
    check(make_case(op::DepthToSpace{2}, Shape{2, 2, 3, 12}));
    check(make_case(op::DepthToSpace{3}, Shape{1, 2, 1, 18}));
    check(make_case(op::DepthToSpace{2}, Shape{0, 1, 1, 4}));
  }
};

template <>
struct Row<op::Linear> {
  static constexpr auto group = Group::product;
  static constexpr auto name = "linear";
  static void each(auto const& check) {
    auto const run = [&](Shape const& x, Index outputs) {
      check(make_case(op::Linear{}, x, Shape{x.back(), outputs}));
      check(make_case(op::Linear{}, x, Shape{x.back(), outputs}, Shape{outputs}));
    };
    run({1, 1}, 1);
    run({3}, 2);
    run({5, 1}, 3);
    run({4, 3}, 1);
    run({3, 7}, 5);
    run({2, 2, 2, 3}, 4);
    run({15, 5}, 17);
    run({230, 2}, 3);  // more rows than one stretch of the weight gradient
    run({0, 3}, 2);
  }
};

template <>
struct Row<op::Conv2d> {
  static constexpr auto group = Group::product;
  static constexpr auto name = "conv2d";
  static void each(auto const& check) {
    auto const run = [&](Shape const& x, Index k, Index outputs, Index stride) {
      check(make_case(op::Conv2d{stride}, x, Shape{k, k, x.back(), outputs}));
      check(make_case(op::Conv2d{stride}, x, Shape{k, k, x.back(), outputs}, Shape{outputs}));
    };
    auto const run_residual = [&](Shape const& x, Index k, Index outputs) {
      check(make_case(op::Conv2d{1, 0.7}, x, Shape{k, k, x.back(), outputs}, Shape{x[0], 1, 1, outputs},
                      x.with_channels(outputs)));
    };
    check(make_case(op::Conv2d{}, Shape{2, 1, 6, 3}, Shape{1, 5, 3, 4}, Shape{4}));
    check(make_case(op::Conv2d{2}, Shape{2, 1, 8, 16}, Shape{1, 3, 16, 3}));
    check(make_case(op::Conv2d{}, Shape{2, 5, 3, 2}, Shape{3, 1, 2, 3}));
    run_residual({2, 3, 4, 2}, 3, 3);
    run_residual({2, 5, 3, 16}, 3, 5);
    run({1, 1, 1, 1}, 1, 1, 1);
    run({1, 1, 1, 1}, 3, 1, 1);
    run({2, 3, 4, 2}, 1, 3, 1);
    run({2, 3, 4, 2}, 3, 3, 1);
    run({1, 3, 4, 2}, 5, 3, 1);
    run({2, 3, 4, 2}, 1, 3, 2);
    run({2, 5, 4, 2}, 3, 3, 2);
    run({1, 4, 5, 2}, 5, 2, 2);
    run({1, 7, 5, 1}, 3, 2, 3);
    run({1, 3, 3, 5}, 3, 17, 1);
    run({3, 9, 9, 1}, 3, 2, 1);  // more pixels than one stretch of the weight gradient
    run({0, 3, 3, 2}, 3, 2, 1);
    // Enough channels for Winograd's transforms: part of a tile, parts beside whole ones, several blocks of
    // tiles.
    run({1, 1, 1, 16}, 3, 16, 1);
    run({1, 3, 2, 17}, 3, 16, 1);
    run({2, 5, 9, 16}, 3, 19, 1);
    run({3, 17, 14, 16}, 3, 16, 1);
    run({0, 3, 3, 16}, 3, 16, 1);
  }
};

template <>
struct Row<op::Attention> {
  static constexpr auto group = Group::product;
  static constexpr auto name = "attention";
  static void each(auto const& check) {
    auto const run = [&](Index n, Index t, Index s, Index c, Index heads) {
      check(make_case(op::Attention{heads}, Shape{n, t, c}, Shape{n, s, c}, Shape{n, s, c}));
    };
    run(1, 1, 1, 1, 1);
    run(2, 3, 4, 4, 1);
    run(2, 3, 2, 6, 2);
    run(1, 4, 3, 6, 3);
    run(1, 2, 17, 3, 1);
    run(1, 260, 1, 1, 1);  // more rows than one stretch of the gradients of keys and values
    run(0, 3, 4, 2, 1);
    run(1, 0, 4, 2, 1);
  }
};

template <>
struct Row<op::AttentionScores> {
  static constexpr auto group = Group::product;
  static constexpr auto name = "attention_scores";
  static void each(auto const& check) {
    auto const run = [&](Index n, Index t, Index s, Index c, Index heads, double scale) {
      check(make_case(op::AttentionScores{.heads = heads, .scale = scale}, Shape{n, t, c}, Shape{n, s, c}));
    };
    run(1, 1, 1, 1, 1, 1);
    run(2, 3, 4, 4, 1, 0.5);
    run(2, 3, 2, 6, 2, -0.7);
    run(1, 4, 3, 6, 3, 1.3);
    run(2, 2, 3, 8, 4, 1);
    run(1, 1, 17, 3, 1, 1);
    run(0, 3, 4, 2, 1, 1);
  }
};

template <>
struct Row<op::AttentionMix> {
  static constexpr auto group = Group::product;
  static constexpr auto name = "attention_mix";
  static void each(auto const& check) {
    auto const run = [&](Index n, Index t, Index s, Index c, Index heads, double scale) {
      check(make_case(op::AttentionMix{.scale = scale}, Shape{n, heads, t, s}, Shape{n, s, c}));
      check(make_case(op::AttentionMix{.scale = scale, .transposed = true}, Shape{n, heads, t, s},
                      Shape{n, t, c}));
    };
    run(1, 1, 1, 1, 1, 1);
    run(2, 3, 4, 4, 1, 0.5);
    run(2, 3, 2, 6, 2, -0.7);
    run(1, 4, 3, 6, 3, 1.3);
    run(2, 2, 3, 8, 4, 1);
    run(1, 1, 17, 3, 1, 1);
    run(0, 3, 4, 2, 1, 1);
  }
};

template <>
struct Row<op::GroupNorm> {
  static constexpr auto group = Group::normalization;
  static constexpr auto name = "group_norm";
  static void each(auto const& check) {
    auto const run = [&](Shape const& x, Index groups) {
      auto const own = Shape{x[0], 1, 1, x[3]};
      for (auto const silu : {false, true}) {
        auto const op = op::GroupNorm{.groups = groups, .epsilon = 1e-2, .silu = silu};
        check(make_case(op, x, Shape{x[3]}, Shape{x[3]}));
        check(make_case(op, x, own, own));
      }
    };
    run({2, 3, 2, 4}, 1);
    run({2, 3, 2, 4}, 2);
    run({2, 3, 2, 4}, 4);
    run({1, 1, 3, 1}, 1);
    run({1, 1, 1, 6}, 2);
    run({1, 2, 2, 17}, 1);
    run({3, 1, 2, 6}, 3);
    run({0, 2, 2, 4}, 2);
  }
};

template <>
struct Row<op::Softmax> {
  static constexpr auto group = Group::normalization;
  static constexpr auto name = "softmax";
  static void each(auto const& check) {
    for (auto const& x :
         {Shape{1}, Shape{5}, Shape{3, 1}, Shape{3, 4}, Shape{2, 2, 3, 5}, Shape{2, 17}, Shape{0, 3}})
      check(make_case(op::Softmax{}, x));
    check(Case<op::Softmax, 1>{{}, {Shape{4, 7}}, -10, 10});
  }
};

// Element-wise functions: shapes are the same for all, ranges keep away from kinks and poles.

struct Range {
  double low, high;
};
template <class F>
inline constexpr auto ranges = std::array{Range{-2, 2}};
template <>
inline constexpr auto ranges<pointwise::Divide> = std::array{Range{0.5, 2}, Range{-2, -0.5}};
template <>
inline constexpr auto ranges<pointwise::Log> = std::array{Range{0.3, 3}};
template <>
inline constexpr auto ranges<pointwise::Sqrt> = std::array{Range{0.3, 3}};
template <>
inline constexpr auto ranges<pointwise::Abs> = std::array{Range{0.2, 2}, Range{-2, -0.2}};
template <>
inline constexpr auto ranges<pointwise::Silu> = std::array{Range{-2, 2}, Range{-20, 20}};

template <>
inline constexpr auto ranges<pointwise::Relu> = std::array{Range{0.2, 2}, Range{-2, -0.2}};

template <class F>
struct Row<Pointwise<pointwise::Unary<F, pointwise::Leaf>>> {
  using Op = Pointwise<pointwise::Unary<F, pointwise::Leaf>>;
  static void each(auto const& check) {
    for (auto const range : ranges<F>)
      for (auto const& x : {Shape{}, Shape{1}, Shape{3, 5}, Shape{2, 2, 3, 3}, Shape{17}, Shape{0, 3}})
        check(Case<Op, 1>{{}, {x}, range.low, range.high});
  }
};

template <class F>
struct Row<Pointwise<pointwise::Binary<F, pointwise::Leaf, pointwise::Leaf>>> {
  using Op = Pointwise<pointwise::Binary<F, pointwise::Leaf, pointwise::Leaf>>;
  static void each(auto const& check) {
    for (auto const range : ranges<F>) {
      auto const run = [&](Shape const& a, Shape const& b) {
        check(Case<Op, 2>{{}, {a, b}, range.low, range.high});
      };
      run({}, {});
      run({3, 5}, {3, 5});
      run({3, 5}, {});
      run({5}, {3, 5});
      run({3, 1}, {1, 5});
      run({2, 2, 3, 2}, {2, 1, 1, 1});
      run({2, 1, 3, 1}, {2, 1, 2});
      run({17}, {17});
      run({0, 3}, {3});
    }
  }
};

/// check(case) for every row of a group.
template <Group group, class Check>
void for_each_row(Check const& check) {
  for_each_type(AllOps{}, [&]<class Op>() {
    if constexpr (Row<Op>::group == group)
      Row<Op>::each([&](auto const& c) {
        auto const operation = std::string{Row<Op>::name};
        CAPTURE(operation);
        CAPTURE(c.text());
        check(c);
      });
  });
}

/// check(case) for every row of the element-wise functions with one or two operands.
template <std::size_t operands, class Check>
void for_each_function(Check const& check) {
  for_each_type(AllPointwise{}, [&]<class F>() {
    using Op = pointwise_op_t<F>;
    if constexpr (decltype(Op::f)::leaves == operands)
      Row<Op>::each([&](auto const& c) {
        auto const function = std::string{typeid(F).name()};
        CAPTURE(function);
        CAPTURE(c.text());
        check(c);
      });
  });
}

}  // namespace consistency::test
