// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <consistency/tensor/ops.hpp>

#include "support.hpp"

namespace consistency::test {

/// The cases that an operation's kernels are tested with; an operation without them does not compile.
/// `each` calls check(case) for awkward shapes: extents 0 and 1, odd and prime, beside and beyond pack
/// widths. `batches` calls check(n -> case of n samples), at n = 64 large enough to be cut into several
/// chunks.
template <class Op>
struct Cases;

// Element-wise functions

template <class F>
inline constexpr bool is_binary = requires { F::of(1.0, 1.0); };

template <class F, bool = is_binary<F>>
struct pointwise_op {
  using type = Pointwise<pointwise::Unary<F, pointwise::Leaf>>;
};
template <class F>
struct pointwise_op<F, true> {
  using type = Pointwise<pointwise::Binary<F, pointwise::Leaf, pointwise::Leaf>>;
};
/// An element-wise function as an operation of its own.
template <class F>
using pointwise_op_t = typename pointwise_op<F>::type;

/// Where a function is tested: inside its domain.
template <class F>
inline constexpr auto domain = std::array{-3.0, 3.0};
template <>
inline constexpr auto domain<pointwise::Divide> = std::array{0.3, 3.0};
template <>
inline constexpr auto domain<pointwise::Log> = std::array{0.01, 9.0};
template <>
inline constexpr auto domain<pointwise::Sqrt> = std::array{0.01, 9.0};

template <class F, class... S>
Case<pointwise_op_t<F>, sizeof...(S)> pointwise_case(S const&... shapes) {
  return {{}, {shapes...}, domain<F>[0], domain<F>[1]};
}

template <class F>
struct PointwiseCases {
  static void each(auto const& check) {
    if constexpr (is_binary<F>) {
      auto const run = [&](Shape const& a, Shape const& b) {
        check(pointwise_case<F>(a, b));
        check(pointwise_case<F>(b, a));
      };
      run({}, {});
      run({5}, {});
      run({1}, {5});
      run({3, 1}, {1, 5});
      run({4, 1}, {4, 1});
      run({3, 17}, {3, 17});
      run({3, 17}, {3, 1});
      run({2, 3, 5, 7}, {7});
      run({2, 3, 5, 7}, {5, 1});
      run({2, 3, 5, 7}, {3, 1, 7});
      run({2, 3, 5, 7}, {3, 1, 1});
      run({2, 3, 5, 7}, {2, 1, 1, 1});
      run({2, 1, 5, 1}, {1, 3, 1, 7});
      run({2, 3, 1, 1}, {1, 1, 5, 7});
      run({0, 3}, {3});
      run({0, 3}, {1, 3});
      run({3, 0}, {3, 1});
      run({20011}, {20011});
      run({3, 16384}, {16384});
      run({1, 16385}, {3, 1});
    } else {
      for (auto const& shape :
           {Shape{}, Shape{1}, Shape{7}, Shape{8}, Shape{16}, Shape{17}, Shape{31}, Shape{0, 3}, Shape{3, 5},
            Shape{2, 3, 5, 7}, Shape{3, 1, 1, 1}, Shape{16384}, Shape{40009}})
        check(pointwise_case<F>(shape));
    }
  }

  static void batches(auto const& check) {
    if constexpr (is_binary<F>) {
      check([](Index n) { return pointwise_case<F>(Shape{n, 37}, Shape{n, 37}); });
      check([](Index n) { return pointwise_case<F>(Shape{n, 1}, Shape{37}); });
      check([](Index n) { return pointwise_case<F>(Shape{n, 5, 7, 31}, Shape{n, 1, 1, 1}); });
      check([](Index n) { return pointwise_case<F>(Shape{5, 1, 31}, Shape{n, 1, 7, 1}); });
    } else {
      check([](Index n) { return pointwise_case<F>(Shape{n, 5, 7, 31}); });
      check([](Index n) { return pointwise_case<F>(Shape{n}); });
    }
  }
};

// Linear maps that move or add up numbers

template <>
struct Cases<op::SumTo> {
  static void each(auto const& check) {
    auto const run = [&](Shape const& x, Shape const& target) {
      check(Case<op::SumTo, 1>{{target}, {x}, -0.5, 1.5});  // no cancellation
    };
    run({}, {});
    run({1}, {});
    run({5}, {});
    run({5}, {1});
    run({3, 5}, {5});
    run({3, 5}, {1, 5});
    run({3, 5}, {3, 1});
    run({3, 1}, {1});
    for (auto const& target : {Shape{}, Shape{7}, Shape{1, 1}, Shape{5, 1}, Shape{3, 1, 7}, Shape{3, 5, 1},
                               Shape{3, 5, 7}, Shape{2, 1, 1, 1}, Shape{2, 1, 5, 1}, Shape{1, 3, 1, 7},
                               Shape{2, 1, 1, 7}, Shape{1, 3, 5, 1}, Shape{1, 1, 1, 1}, Shape{2, 3, 5, 7}})
      run({2, 3, 5, 7}, target);
    run({2, 1, 5, 1}, {1, 1, 5, 1});
    run({1, 3, 1, 7}, {1, 1, 1, 1});
    run({0, 3}, {0, 1});
    run({3, 0}, {1, 0});
    run({0, 3}, {3});
    run({0, 3}, {});
    run({3, 0}, {3, 1});
    run({2, 0, 5}, {2, 1, 5});
    run({100003}, {});
    run({9001, 3}, {3});
    run({3, 1500}, {1500});
    run({70, 1025}, {1025});
    run({2, 9001, 1}, {2, 1, 1});
    run({8192}, {});
    run({8193}, {});
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::SumTo{{n, 1}}, Shape{n, 37}); });
    check([](Index n) { return make_case(op::SumTo{{n, 1, 1, 1}}, Shape{n, 5, 11, 31}); });
    check([](Index n) { return make_case(op::SumTo{{n, 1, 1, 31}}, Shape{n, 5, 11, 31}); });
    check([](Index n) { return make_case(op::SumTo{{n, 5, 1, 1}}, Shape{n, 5, 11, 31}); });
    check([](Index n) { return make_case(op::SumTo{{n, 1}}, Shape{n, 9001}); });
  }
};

template <>
struct Cases<op::BroadcastTo> {
  static void each(auto const& check) {
    auto const run = [&](Shape const& x, Shape const& target) {
      check(make_case(op::BroadcastTo{target}, x));
    };
    run({}, {});
    run({}, {5});
    run({1}, {5});
    run({5}, {3, 5});
    run({3, 1}, {3, 5});
    for (auto const& x : {Shape{}, Shape{7}, Shape{5, 1}, Shape{3, 1, 7}, Shape{2, 1, 1, 1},
                          Shape{2, 1, 5, 1}, Shape{1, 3, 1, 7}, Shape{2, 3, 5, 7}})
      run(x, {2, 3, 5, 7});
    run({3}, {0, 3});
    run({0, 1}, {0, 3});
    run({3, 1}, {3, 0});
    run({1, 20011}, {3, 20011});
    run({3, 1}, {3, 20011});
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::BroadcastTo{{n, 37}}, Shape{n, 1}); });
    check([](Index n) { return make_case(op::BroadcastTo{{n, 5, 7, 31}}, Shape{n, 5, 1, 31}); });
  }
};

template <>
struct Cases<op::Reshape> {
  static void each(auto const& check) {
    auto const run = [&](Shape const& x, Shape const& target) { check(make_case(op::Reshape{target}, x)); };
    run({}, {1, 1});
    run({2, 3, 5, 7}, {42, 5});
    run({0, 3}, {3, 0, 7});
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::Reshape{{n, 21, 5}}, Shape{n, 5, 7, 3}); });
  }
};

template <>
struct Cases<op::Concat> {
  static void each(auto const& check) {
    auto const run = [&](Shape const& a, Shape const& b) { check(make_case(op::Concat{}, a, b)); };
    run({3}, {4});
    run({3, 5}, {3, 7});
    run({1, 1, 1, 1}, {1, 1, 1, 1});
    run({2, 3, 5, 1}, {2, 3, 5, 4});
    run({2, 2, 2, 16}, {2, 2, 2, 33});
    run({3, 0}, {3, 2});
    run({3, 2}, {3, 0});
    run({0, 3}, {0, 4});
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::Concat{}, Shape{n, 5, 11, 3}, Shape{n, 5, 11, 13}); });
  }
};

template <>
struct Cases<op::Slice> {
  static void each(auto const& check) {
    auto const run = [&](Shape const& x, Index begin, Index end) {
      check(make_case(op::Slice{begin, end}, x));
    };
    run({7}, 0, 7);
    run({7}, 3, 4);
    run({7}, 0, 0);
    run({7}, 7, 7);
    run({3, 5}, 1, 4);
    run({2, 3, 5, 16}, 3, 16);
    run({2, 3, 5, 17}, 0, 16);
    run({0, 5}, 1, 3);
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::Slice{3, 20}, Shape{n, 5, 11, 23}); });
  }
};

template <>
struct Cases<op::Upsample> {
  static void each(auto const& check) {
    for (auto const& x : {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 7}, Shape{3, 1, 2, 16}, Shape{1, 4, 1, 17},
                          Shape{0, 2, 2, 3}, Shape{2, 0, 3, 1}})
      check(make_case(op::Upsample{}, x));
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::Upsample{}, Shape{n, 5, 7, 17}); });
  }
};

template <>
struct Cases<op::Blur> {
  static void each(auto const& check) {
    for (auto const& x : {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 7}, Shape{3, 1, 2, 16}, Shape{1, 4, 1, 17},
                          Shape{1, 2, 2, 33}, Shape{0, 2, 2, 3}, Shape{2, 0, 3, 1}})
      check(make_case(op::Blur{}, x));
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::Blur{}, Shape{n, 11, 13, 17}); });
  }
};

template <>
struct Cases<op::Downsample> {
  static void each(auto const& check) {
    for (auto const& x : {Shape{1, 2, 2, 1}, Shape{2, 6, 10, 7}, Shape{3, 2, 4, 16}, Shape{1, 8, 2, 17},
                          Shape{1, 4, 4, 33}, Shape{0, 2, 2, 3}, Shape{2, 0, 4, 1}})
      check(make_case(op::Downsample{}, x));
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::Downsample{}, Shape{n, 10, 14, 17}); });
  }
};

template <>
struct Cases<op::Resize> {
  static void each(auto const& check) {
    for (auto const adjoint : {false, true}) {
      auto const run = [&](Shape const& x, Index height, Index width) {
        for (auto const centre : {0.5, 0.0})
          check(Case<op::Resize, 1>{{height, width, adjoint, centre}, {x}, -0.5, 1.5});  // no cancellation
      };
      run({1, 1, 1, 1}, 1, 1);
      run({2, 3, 5, 7}, 3, 5);
      run({2, 3, 5, 3}, 6, 10);
      run({2, 6, 10, 3}, 3, 5);
      run({1, 7, 4, 16}, 5, 9);
      run({1, 1, 9, 17}, 4, 1);
      run({1, 28, 28, 1}, 32, 32);
      run({1, 40, 37, 3}, 7, 11);
      run({0, 2, 2, 3}, 3, 3);
      run({2, 2, 2, 0}, 3, 3);
    }
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::Resize{14, 9}, Shape{n, 5, 7, 17}); });
    check([](Index n) { return make_case(op::Resize{3, 5, true}, Shape{n, 10, 7, 17}); });
  }
};

template <>
struct Cases<op::MaxPool> {
  static void each(auto const& check) {
    for (auto const& x : {Shape{1, 2, 2, 1}, Shape{2, 6, 10, 7}, Shape{3, 2, 4, 16}, Shape{1, 8, 2, 17},
                          Shape{1, 4, 4, 33}, Shape{0, 2, 2, 3}, Shape{2, 0, 4, 1}}) {
      check(make_case(op::MaxPool{}, x));
      check(make_case(op::MaxPool{}, x, x));
    }
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::MaxPool{}, Shape{n, 10, 14, 17}); });
    check([](Index n) { return make_case(op::MaxPool{}, Shape{n, 10, 14, 17}, Shape{n, 10, 14, 17}); });
  }
};

template <>
struct Cases<op::MaxPerSample> {
  static void each(auto const& check) {
    for (auto const& x : {Shape{}, Shape{1}, Shape{7}, Shape{3, 1}, Shape{3, 5}, Shape{2, 3, 5, 7},
                          Shape{4, 1000}, Shape{0, 3}, Shape{0, 0}}) {
      check(make_case(op::MaxPerSample{}, x));
      check(make_case(op::MaxPerSample{}, x, x));
    }
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::MaxPerSample{}, Shape{n, 5, 11, 31}); });
    check([](Index n) { return make_case(op::MaxPerSample{}, Shape{n, 37}, Shape{n, 37}); });
  }
};

template <>
struct Cases<op::SpaceToDepth> {
  static void each(auto const& check) {
    auto const run = [&](Shape const& x, Index patch) { check(make_case(op::SpaceToDepth{patch}, x)); };
    run({1, 1, 1, 1}, 1);
    run({1, 2, 2, 1}, 2);
    run({2, 4, 6, 3}, 2);
    run({2, 9, 6, 5}, 3);
    run({2, 5, 10, 1}, 5);
    run({0, 2, 2, 3}, 2);
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::SpaceToDepth{2}, Shape{n, 10, 14, 3}); });
  }
};

template <>
struct Cases<op::DepthToSpace> {
  static void each(auto const& check) {
    auto const run = [&](Shape const& x, Index patch) { check(make_case(op::DepthToSpace{patch}, x)); };
    run({1, 1, 1, 1}, 1);
    run({1, 1, 1, 4}, 2);
    run({2, 2, 3, 12}, 2);
    run({2, 3, 2, 45}, 3);
    run({2, 1, 2, 25}, 5);
    run({0, 1, 1, 12}, 2);
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::DepthToSpace{2}, Shape{n, 5, 7, 12}); });
  }
};

// Products

template <>
struct Cases<op::Linear> {
  static void each(auto const& check) {
    auto const run = [&](Shape const& x, Index outputs) {
      auto const w = Shape{x.back(), outputs};
      check(make_case(op::Linear{}, x, w));
      check(make_case(op::Linear{}, x, w, Shape{outputs}));
    };
    run({1, 1}, 1);
    run({5}, 3);
    run({1, 3}, 5);
    run({5, 1}, 7);
    run({7, 3}, 1);
    run({13, 64}, 32);
    run({14, 64}, 33);
    run({15, 65}, 31);
    run({29, 7}, 97);
    run({113, 17}, 31);
    run({225, 129}, 19);
    run({2, 3, 5, 7}, 11);
    run({1, 300}, 16);
    run({0, 3}, 5);
    run({3, 4}, 0);
    run({3, 0}, 4);
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::Linear{}, Shape{n, 37}, Shape{37, 41}); });
    check([](Index n) { return make_case(op::Linear{}, Shape{n, 37}, Shape{37, 41}, Shape{41}); });
    check([](Index n) { return make_case(op::Linear{}, Shape{n, 3, 5, 19}, Shape{19, 33}, Shape{33}); });
  }
};

template <>
struct Cases<op::Conv2d> {
  static void each(auto const& check) {
    auto const run = [&](Shape const& x, Index k, Index outputs, Index stride) {
      auto const w = Shape{k, k, x.back(), outputs};
      check(make_case(op::Conv2d{stride}, x, w));
      check(make_case(op::Conv2d{stride}, x, w, Shape{outputs}));
      check(make_case(op::Conv2d{stride}, x, w, Shape{x[0], 1, 1, outputs}));
      check(make_case(op::Conv2d{stride, 0.7}, x, w, Shape{outputs}, op::Conv2d{stride}.result(x, w)));
    };
    // Windows that are wide or tall.
    check(make_case(op::Conv2d{}, Shape{2, 1, 16, 3}, Shape{1, 5, 3, 4}, Shape{4}));
    check(make_case(op::Conv2d{}, Shape{2, 1, 7, 16}, Shape{1, 3, 16, 17}, Shape{17}));
    check(make_case(op::Conv2d{2}, Shape{2, 1, 16, 5}, Shape{1, 3, 5, 33}));
    check(make_case(op::Conv2d{2}, Shape{2, 7, 4, 3}, Shape{5, 3, 3, 2}));
    check(make_case(op::Conv2d{1, 0.7}, Shape{2, 5, 6, 3}, Shape{7, 1, 3, 2}, Shape{2, 1, 1, 2},
                    Shape{2, 5, 6, 2}));
    run({1, 1, 1, 1}, 1, 1, 1);
    run({1, 1, 1, 1}, 5, 1, 1);
    run({2, 7, 5, 3}, 1, 4, 1);
    run({2, 7, 5, 3}, 3, 4, 1);
    run({2, 7, 5, 3}, 5, 4, 1);
    run({2, 7, 5, 3}, 1, 4, 2);
    run({2, 7, 5, 3}, 3, 4, 2);
    run({2, 6, 8, 3}, 3, 4, 2);
    run({2, 7, 5, 3}, 5, 4, 2);
    run({2, 8, 7, 2}, 3, 3, 3);
    run({1, 2, 2, 5}, 5, 3, 1);
    run({3, 1, 9, 1}, 3, 1, 1);
    run({1, 9, 1, 1}, 3, 1, 2);
    run({1, 12, 11, 17}, 3, 33, 1);
    run({2, 16, 16, 16}, 3, 32, 2);
    run({0, 4, 4, 3}, 3, 2, 1);
    run({0, 4, 4, 3}, 3, 2, 2);
    run({1, 4, 4, 3}, 3, 0, 1);
    run({1, 4, 4, 0}, 3, 2, 1);
    // Enough channels for Winograd's transforms.
    run({1, 1, 1, 16}, 3, 16, 1);
    run({2, 4, 4, 16}, 3, 16, 1);
    run({1, 5, 7, 31}, 3, 17, 1);
    run({3, 17, 14, 16}, 3, 16, 1);
    run({1, 8, 9, 64}, 3, 64, 1);
    run({1, 7, 7, 192}, 3, 40, 1);
    // Many channels on small images, on large ones in groups of outputs, on images that tiles of 2×2 fill
    // better.
    run({2, 5, 6, 130}, 3, 129, 1);
    run({5, 16, 17, 250}, 3, 260, 1);
    run({40, 2, 2, 24}, 3, 20, 1);
    run({0, 4, 4, 16}, 3, 16, 1);
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::Conv2d{}, Shape{n, 5, 7, 3}, Shape{3, 3, 3, 17}, Shape{17}); });
    check([](Index n) { return make_case(op::Conv2d{2}, Shape{n, 6, 7, 5}, Shape{3, 3, 5, 9}); });
    check([](Index n) {
      return make_case(op::Conv2d{}, Shape{n, 6, 9, 17}, Shape{3, 3, 17, 19}, Shape{19});
    });
    check([](Index n) { return make_case(op::Conv2d{}, Shape{n, 5, 3, 9}, Shape{1, 1, 9, 35}, Shape{35}); });
    check([](Index n) {
      return make_case(op::Conv2d{1, 0.7}, Shape{n, 6, 9, 17}, Shape{3, 3, 17, 19}, Shape{n, 1, 1, 19},
                       Shape{n, 6, 9, 19});
    });
    check([](Index n) { return make_case(op::Conv2d{}, Shape{n, 3, 3, 128}, Shape{3, 3, 128, 128}); });
    check([](Index n) {
      return make_case(op::Conv2d{}, Shape{n, 1, 8, 33}, Shape{1, 5, 33, 32}, Shape{32});
    });
  }
};

template <>
struct Cases<op::Attention> {
  static void each(auto const& check) {
    auto const run = [&](Index n, Index t, Index s, Index c, Index heads) {
      check(make_case(op::Attention{heads}, Shape{n, t, c}, Shape{n, s, c}, Shape{n, s, c}));
    };
    run(1, 1, 1, 1, 1);
    run(2, 5, 7, 6, 1);
    run(2, 7, 5, 6, 3);
    run(1, 17, 33, 64, 4);
    run(3, 1, 9, 4, 4);
    run(3, 9, 1, 4, 2);
    run(0, 3, 4, 2, 1);
    run(1, 0, 4, 2, 1);
    run(2, 149, 49, 32, 2);
    run(1, 601, 7, 3, 1);
    run(1, 13, 6007, 3, 1);
  }
  static void batches(auto const& check) {
    check([](Index n) {
      return make_case(op::Attention{.heads = 2}, Shape{n, 70, 14}, Shape{n, 17, 14}, Shape{n, 17, 14});
    });
  }
};

template <>
struct Cases<op::AttentionScores> {
  static void each(auto const& check) {
    auto const run = [&](Index n, Index t, Index s, Index c, Index heads, double scale) {
      check(make_case(op::AttentionScores{.heads = heads, .scale = scale}, Shape{n, t, c}, Shape{n, s, c}));
    };
    run(1, 1, 1, 1, 1, 1);
    run(2, 5, 7, 6, 1, 0.5);
    run(2, 5, 7, 6, 2, 0.25);
    run(2, 7, 5, 6, 3, -2);
    run(2, 7, 5, 8, 4, 1);
    run(1, 17, 33, 64, 4, 0.125);
    run(3, 1, 9, 4, 4, 1);
    run(3, 9, 1, 4, 2, 1);
    run(0, 3, 4, 2, 1, 1);
    run(1, 0, 4, 2, 1, 1);
    run(1, 49, 49, 32, 1, 0.2);
  }
  static void batches(auto const& check) {
    check([](Index n) {
      return make_case(op::AttentionScores{.heads = 2, .scale = 0.3}, Shape{n, 9, 14}, Shape{n, 17, 14});
    });
  }
};

template <>
struct Cases<op::AttentionMix> {
  static void each(auto const& check) {
    auto const run = [&](Index n, Index t, Index s, Index c, Index heads, double scale) {
      check(make_case(op::AttentionMix{.scale = scale}, Shape{n, heads, t, s}, Shape{n, s, c}));
      check(make_case(op::AttentionMix{.scale = scale, .transposed = true}, Shape{n, heads, t, s},
                      Shape{n, t, c}));
    };
    run(1, 1, 1, 1, 1, 1);
    run(2, 5, 7, 6, 1, 0.5);
    run(2, 5, 7, 6, 2, 0.25);
    run(2, 7, 5, 6, 3, -2);
    run(2, 7, 5, 8, 4, 1);
    run(1, 17, 33, 64, 4, 0.125);
    run(3, 1, 9, 4, 4, 1);
    run(3, 9, 1, 4, 2, 1);
    run(0, 3, 4, 2, 1, 1);
    run(1, 3, 0, 2, 1, 1);
    run(1, 49, 49, 32, 1, 0.2);
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::AttentionMix{}, Shape{n, 2, 9, 17}, Shape{n, 17, 14}); });
    check([](Index n) {
      return make_case(op::AttentionMix{.scale = 0.3, .transposed = true}, Shape{n, 2, 9, 17},
                       Shape{n, 9, 14});
    });
  }
};

// Normalisations

template <>
struct Cases<op::GroupNorm> {
  static void each(auto const& check) {
    auto const run = [&](Shape const& x, Index groups) {
      auto const own = Shape{x[0], 1, 1, x[3]};
      for (auto const silu : {false, true}) {
        auto const op = op::GroupNorm{.groups = groups, .epsilon = 1e-5, .silu = silu};
        check(make_case(op, x, Shape{x[3]}, Shape{x[3]}));
        check(make_case(op, x, own, own));
      }
    };
    run({2, 3, 5, 7}, 1);
    run({2, 3, 5, 7}, 7);
    run({1, 1, 5, 4}, 4);
    run({1, 1, 1, 12}, 3);
    run({3, 2, 2, 6}, 3);
    run({1, 5, 1, 15}, 5);
    run({2, 4, 4, 16}, 8);
    run({2, 4, 4, 33}, 11);
    run({2, 7, 7, 40}, 8);
    run({0, 3, 3, 4}, 2);
  }
  static void batches(auto const& check) {
    for (auto const silu : {false, true}) {
      auto const op = op::GroupNorm{.groups = 3, .epsilon = 1e-5, .silu = silu};
      check([=](Index n) { return make_case(op, Shape{n, 5, 7, 21}, Shape{21}, Shape{21}); });
      check([=](Index n) {
        return make_case(op, Shape{n, 5, 7, 21}, Shape{n, 1, 1, 21}, Shape{n, 1, 1, 21});
      });
    }
  }
};

template <>
struct Cases<op::Softmax> {
  static void each(auto const& check) {
    for (auto const& x : {Shape{}, Shape{1}, Shape{7}, Shape{3, 1}, Shape{3, 5}, Shape{2, 3, 5, 7},
                          Shape{5, 16}, Shape{5, 33}, Shape{4, 1000}, Shape{0, 3}, Shape{3, 0}}) {
      check(make_case(op::Softmax{}, x));
      check(Case<op::Softmax, 1>{{}, {x}, -20, 20});
    }
  }
  static void batches(auto const& check) {
    check([](Index n) { return make_case(op::Softmax{}, Shape{n, 3, 11, 37}); });
    check([](Index n) { return make_case(op::Softmax{}, Shape{n, 37}); });
  }
};

/// check(case) for every awkward shape of every function.
template <class F>
struct Cases<Pointwise<pointwise::Unary<F, pointwise::Leaf>>> : PointwiseCases<F> {};
template <class F>
struct Cases<Pointwise<pointwise::Binary<F, pointwise::Leaf, pointwise::Leaf>>> : PointwiseCases<F> {};

}  // namespace consistency::test
