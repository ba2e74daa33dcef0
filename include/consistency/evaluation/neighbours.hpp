// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/evaluation/pairs.hpp>

namespace consistency {

/// The k nearest samples of another set, the nearest first.
struct Nearest {
  std::vector<Index> index;      // (n, k)
  std::vector<double> distance;  // (n, k)
};

namespace detail {

/// Where the k smallest of the numbers that it is given were, in order.
class KSmallest {
 public:
  struct Found {
    double value = std::numeric_limits<double>::infinity();
    Index at = 0;
  };

  explicit KSmallest(Index k) : found_(static_cast<std::size_t>(k)) {}
  void add(double value, Index at) {
    if (!(value < found_.back().value)) return;
    auto place = found_.size() - 1;
    for (; place > 0 && value < found_[place - 1].value; --place) found_[place] = found_[place - 1];
    found_[place] = {value, at};
  }
  std::vector<Found> const& found() const noexcept { return found_; }

 private:
  std::vector<Found> found_;
};

/// The squared distance of each sample to its k-th neighbour in the same set, itself left out.
template <class S>
std::vector<double> squared_radii(Tensor<S> const& x, SampleSet const& set, Index k) {
  auto const turned = columns(x, set);
  std::vector<double> radii(static_cast<std::size_t>(set.count));
  for_each_row(set, [&](Index i) {
    KSmallest least{k};
    for_each_square(x, i, turned, 0, [&](Index j, Index n, double const* squares) {
      for (Index m = 0; m < n; ++m)
        if (j + m != i) least.add(squares[m], j + m);
    });
    radii[static_cast<std::size_t>(i)] = least.found().back().value;
  });
  return radii;
}

}  // namespace detail

/// For each of x (n, d) its k nearest of y (m, d). Throws as SampleSet::of,
/// shape_error for other sizes, config_error unless 1 ≤ k ≤ m.
template <class S>
Nearest nearest(Tensor<S> const& x, Tensor<S> const& y, Index k = 1) {
  auto const xs = SampleSet::of(x, "nearest", 1), ys = SampleSet::of(y, "nearest");
  require_same_dimensions(xs, ys, "nearest");
  if (k < 1 || k > ys.count)
    fail<config_error>("nearest", "k", number_text(k), "from 1 to " + number_text(ys.count));
  auto const turned = detail::columns(y, ys);
  auto const all = static_cast<std::size_t>(xs.count * k);
  Nearest found{std::vector<Index>(all), std::vector<double>(all)};
  detail::for_each_row(xs, [&](Index i) {
    detail::KSmallest least{k};
    detail::for_each_square(x, i, turned, 0, [&](Index j, Index n, double const* squares) {
      for (Index m = 0; m < n; ++m) least.add(squares[m], j + m);
    });
    auto place = static_cast<std::size_t>(i * k);
    for (auto const& [square, at] : least.found()) {
      found.index[place] = at;
      found.distance[place++] = std::sqrt(square);
    }
  });
  return found;
}

struct NeighbourhoodSettings {
  Index k = 3;         ///< the ball of a sample reaches to its k-th neighbour
  bool closed = true;  ///< samples on the ball's surface count: for precision and recall alone
};

/// How two sets lie in each other's balls.
struct Neighbourhoods {
  double precision;  ///< share of generated samples inside a ball of a real one (Kynkäänniemi et al. 2019)
  double recall;     ///< share of real samples inside a ball of a generated one
  double density;    ///< mean number of real balls around a generated sample, over k (Naeem et al. 2020)
  double coverage;   ///< share of real balls with a generated sample in it
};

/// Of real (n, d) and generated (m, d) features. Memory grows with n + m. Throws as SampleSet::of,
/// shape_error for other sizes, config_error unless 1 ≤ k < n, m.
template <class S>
Neighbourhoods neighbourhoods(Tensor<S> const& real, Tensor<S> const& generated,
                              NeighbourhoodSettings const& settings = {}) {
  auto const where = "neighbourhoods";
  auto const rs = SampleSet::of(real, where), gs = SampleSet::of(generated, where);
  require_same_dimensions(rs, gs, where);
  auto const fewest = std::min(rs.count, gs.count);
  if (settings.k < 1 || settings.k >= fewest)
    fail<config_error>(where, "k", number_text(settings.k),
                       "from 1 to " + number_text(fewest - 1) + ", the other samples of the smaller set");
  auto const around_real = detail::squared_radii(real, rs, settings.k);
  auto const around_generated = detail::squared_radii(generated, gs, settings.k);
  auto const turned = detail::columns(generated, gs);
  std::vector<std::atomic<Index>> balls(static_cast<std::size_t>(gs.count));   // real ones around each, open
  std::vector<std::atomic<bool>> precise(static_cast<std::size_t>(gs.count));  // in one, as settings say
  std::atomic<Index> recalled = 0, covered = 0;
  detail::for_each_row(rs, [&](Index i) {
    auto const r = around_real[static_cast<std::size_t>(i)];
    auto inside = false, full = false;
    detail::for_each_square(real, i, turned, 0, [&](Index j, Index n, double const* squares) {
      for (Index m = 0; m < n; ++m) {
        auto const at = static_cast<std::size_t>(j + m);
        auto const within = [&](double radius) {
          return settings.closed ? squares[m] <= radius : squares[m] < radius;
        };
        if (squares[m] < r) full = true, balls[at].fetch_add(1, std::memory_order_relaxed);
        if (within(r)) precise[at].store(true, std::memory_order_relaxed);
        inside = inside || within(around_generated[at]);
      }
    });
    if (inside) ++recalled;
    if (full) ++covered;
  });
  Index in_a_ball = 0, all_balls = 0;
  for (std::size_t j = 0; j < balls.size(); ++j) in_a_ball += precise[j] ? 1 : 0, all_balls += balls[j];
  auto const n = static_cast<double>(rs.count), m = static_cast<double>(gs.count);
  return {static_cast<double>(in_a_ball) / m, static_cast<double>(recalled) / n,
          static_cast<double>(all_balls) / (static_cast<double>(settings.k) * m),
          static_cast<double>(covered) / n};
}

/// Share of generated samples (m, d) that are farther from their nearest real one (n, d) than that one is
/// from its own nearest: below one half, samples are copies more often than not (AuthPct, Alaa et al. 2022).
/// Throws as neighbourhoods.
template <class S>
double authenticity(Tensor<S> const& real, Tensor<S> const& generated) {
  auto const found = nearest(generated, real);
  auto const radii = detail::squared_radii(real, SampleSet::of(real, "authenticity"), 1);
  Index authentic = 0;
  for (std::size_t j = 0; j < found.index.size(); ++j)
    authentic += found.distance[j] > std::sqrt(radii[static_cast<std::size_t>(found.index[j])]) ? 1 : 0;
  return static_cast<double>(authentic) / static_cast<double>(found.index.size());
}

}  // namespace consistency
