// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include <consistency/tensor/cuda/memory.cuh>
#include <consistency/tensor/cuda/reduce.hpp>

namespace consistency::cuda {

/// K sums at once.
template <int K>
struct Sums {
  double x[K];
};

/// One stage of a reduction over m: each thread adds up to `most` of the terms (b, m, column) that lie `fold`
/// rows apart, so that neighbouring threads read neighbouring numbers.
template <int K, class Term, class Result>
struct SumStage {
  static constexpr Index most = 32;
  Term term;
  Result result;
  Extent m, columns, fold, pieces;

  SumStage(Term t, Result r, Index rows, Index width)
      : term{t},
        result{r},
        m{static_cast<Extent>(rows)},
        columns{static_cast<Extent>(width)},
        fold{static_cast<Extent>(std::max<Index>(1, std::min(256 / std::max<Index>(1, width), rows / most)))},
        pieces{static_cast<Extent>(std::max<Index>(1, (rows + most * fold - 1) / (most * fold)))} {}

  CONSISTENCY_HD void operator()(Extent thread) const {
    auto const column = thread % columns;
    auto const lane = thread / columns % fold;
    auto const piece = thread / columns / fold % pieces;
    auto const b = thread / columns / fold / pieces;
    Sums<K> total{};
    auto const begin = piece * static_cast<Extent>(most) * fold + lane;
    for (Extent j = 0, row = begin; j < static_cast<Extent>(most) && row < m; ++j, row += fold) {
      auto const t = term(b, row, column);
      for (int k = 0; k < K; ++k) total.x[k] += t.x[k];
    }
    result(thread, total);
  }
};

template <int K>
struct Partial {
  Sums<K> const* x;
  Extent m, columns;
  CONSISTENCY_HD Sums<K> operator()(Extent b, Extent row, Extent column) const {
    return x[(b * m + row) * columns + column];
  }
};
template <int K>
struct KeepPartial {
  Sums<K>* to;
  CONSISTENCY_HD void operator()(Extent at, Sums<K> const& total) const { to[at] = total; }
};

/// result(b · columns + column, Σ over m of term(b, row, column)); the order of the sum depends on m and
/// columns alone.
template <int K, class Term, class Result>
void reduce(Index batch, Index m, Index columns, Term const& term, Result const& result) {
  if (batch * columns == 0) return;
  auto const last = SumStage<K, Term, Result>{term, result, m, columns};
  if (last.pieces * last.fold <= 1) return for_each(batch * columns, last);
  auto const stage = SumStage<K, Term, KeepPartial<K>>{term, {}, m, columns};
  auto const rows = Index{stage.pieces} * stage.fold;
  Buffer<Sums<K>> const partial{batch * rows * columns};
  auto first = stage;
  first.result.to = partial.data();
  for_each(batch * rows * columns, first);
  reduce<K>(batch, rows, columns,
            Partial<K>{partial.data(), static_cast<Extent>(rows), static_cast<Extent>(columns)}, result);
}

template <class S>
struct ReadOne {
  S const* x;
  Extent m, columns;
  CONSISTENCY_HD Sums<1> operator()(Extent b, Extent row, Extent column) const {
    return {static_cast<double>(x[(b * m + row) * columns + column])};
  }
};
template <class S>
struct WriteOne {
  S* y;
  CONSISTENCY_HD void operator()(Extent at, Sums<1> const& total) const {
    y[at] = static_cast<S>(total.x[0]);
  }
};

template <CompiledScalar S>
void sum_middle(S const* x, Index batch, Index m, Index columns, S* y) {
  static_cast<void>(extent(batch * m * columns));
  reduce<1>(batch, m, columns, ReadOne<S>{x, static_cast<Extent>(m), static_cast<Extent>(columns)},
            WriteOne<S>{y});
}

template <class T>
struct Plus {
  CONSISTENCY_HD T operator()(T a, T b) const { return a + b; }
};
template <class T>
struct Larger {
  CONSISTENCY_HD T operator()(T a, T b) const { return b > a ? b : a; }
};

template <class S>
struct SoftmaxRow {
  S const* x;
  S* y;
  Extent columns;
  CONSISTENCY_HD void operator()(Team const& team, Extent row) const {
    using std::exp;
    auto const* const from = x + row * columns;
    auto* const to = y + row * columns;
    if (columns == 0) return;
    auto top = from[0];
    for (auto c = team.rank(); c < columns; c += team.size()) top = from[c] > top ? from[c] : top;
    top = team.combined(top, Larger<S>{});
    double total = 0;
    for (auto c = team.rank(); c < columns; c += team.size()) {
      to[c] = exp(from[c] - top);
      total += static_cast<double>(to[c]);
    }
    auto const scale = static_cast<S>(1 / team.combined(total, Plus<double>{}));
    for (auto c = team.rank(); c < columns; c += team.size()) to[c] *= scale;
  }
};

template <class S>
struct SoftmaxGradientRow {
  S const* y;
  S const* g;
  S* dx;
  Extent columns;
  CONSISTENCY_HD void operator()(Team const& team, Extent row) const {
    auto const first = row * columns;
    double total = 0;
    for (auto c = team.rank(); c < columns; c += team.size())
      total += static_cast<double>(y[first + c]) * static_cast<double>(g[first + c]);
    auto const mean = static_cast<S>(team.combined(total, Plus<double>{}));
    for (auto c = team.rank(); c < columns; c += team.size())
      dx[first + c] = y[first + c] * (g[first + c] - mean);
  }
};

template <CompiledScalar S>
void softmax(S const* x, Index rows, Index columns, S* y) {
  static_cast<void>(extent(rows * columns));
  for_each_row(rows, SoftmaxRow<S>{x, y, static_cast<Extent>(columns)});
}
template <CompiledScalar S>
void softmax_gradient(S const* y, S const* g, Index rows, Index columns, S* dx) {
  static_cast<void>(extent(rows * columns));
  for_each_row(rows, SoftmaxGradientRow<S>{y, g, dx, static_cast<Extent>(columns)});
}

}  // namespace consistency::cuda
