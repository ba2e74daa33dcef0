// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <consistency/editing/orthogonal_transform.hpp>
#include <consistency/sampling/multistep.hpp>
#include <consistency/sampling/sample.hpp>
#include <consistency/schedule/karras.hpp>

namespace consistency {

/// Times of editing: the grid of N points from T down, without ε (Song et al. 2023, Appendix D).
inline std::vector<double> editing_times(NoiseProcess auto const& process, Index N = 18) {
  auto const grid = grid_of(process);
  std::vector<double> times{process.range().largest};
  for (auto i = N - 1; i > 1; --i) times.push_back(grid(i, N));
  return times;
}

/// Zero-shot editing (Song et al. 2023, Algorithm 4), as a sampler: what is known of y in the coordinates A y
/// is put back after each evaluation of f, the rest is generated. Sample i edits image i / results of y.
template <class X, class A = IdentityTransform>
struct Edit {
  static constexpr Kind kind = Kind::consistency_function;
  X y;     // (m, …)
  X mask;  // Ω: 1 where A y is generated, 0 where it is known; of A y's shape, or one that broadcasts to it
  A transform{};
  std::vector<double> times{};  ///< t₁ > t₂ > …, inside (ε, T]; none: editing_times
  Index results = 1;            ///< of each image
  bool from_y = false;          ///< the noise t₁ is added to all of y, not to what is known of it

  /// Throws config_error for times that do not decrease inside (ε, T], results below 1 or, on the host, a
  /// mask with other numbers than 0 and 1, shape_error for a mask that does not fit.
  void check(NoiseProcess auto const& process) const {
    detail::require_decreasing("Edit", times, process, true);
    require_setting(results >= 1, "Edit", "results", static_cast<double>(results), "1 or more");
    X const first = y.view(0, y.shape().with(0, 1));  // (1, …)
    auto const coordinates = transform.forward(first).shape().with(0, y.shape()[0]);
    auto fits = mask.defined() && mask.shape().rank() <= coordinates.rank();
    for (std::size_t back = 1; fits && back <= mask.shape().rank(); ++back) {
      auto const extent = mask.shape()[mask.shape().rank() - back];
      fits = extent == 1 || extent == coordinates[coordinates.rank() - back];
    }
    if (!fits)
      fail<shape_error>("Edit", "mask", mask.defined() ? mask.shape().text() : "none",
                        coordinates.text() + ", or extents of 1 there");
    if constexpr (OnHost<typename X::Backend>) check_mask(mask);  // reading the numbers of a device stops it
  }
  /// Throws config_error for other numbers than 0 and 1.
  static void check_mask(Tensor<typename X::Scalar> const& mask) {
    for (Index i = 0; i < mask.count(); ++i)
      if (mask[i] != 0 && mask[i] != 1)
        fail<config_error>("Edit", "mask, number " + number_text(i), number_text(mask[i]),
                           "0 (known) or 1 (generated)");
  }

  X operator()(auto const& f, NoiseProcess auto const& process, X const& z, Key key,
               std::uint32_t first) const {
    check(process);
    auto const epsilon = process.range().smallest;
    auto const n = z.shape()[0];
    if (z.shape() != y.shape().with(0, n) || (Index{first} + n - 1) / results >= y.shape()[0])
      fail<shape_error>("Edit", "samples", z.shape().text() + " from number " + number_text(first) + " on",
                        number_text(y.shape()[0] * results) + " at most, of " + y.shape().text());
    X const own = rows(y, first, n);  // (n, …)
    X const open =
        mask.shape().rank() == y.shape().rank() && mask.shape()[0] > 1 ? rows(mask, first, n) : mask;
    X const known = (1.0 - open) * transform.forward(own);  // of A y
    auto const with_known = [&](X const& x) {
      return transform.inverse(X{known + open * transform.forward(x)});
    };
    auto const at = times.empty() ? editing_times(process) : times;
    X x = process.point(from_y ? own : transform.inverse(known), z, detail::time_column(z, at[0]));  // (n, …)
    x = with_known(f(x, detail::time_column(x, at[0])));  // (n, …)
    for (std::size_t i = 1; i < at.size(); ++i) {
      auto const noise = normal<X>(z.shape(), key, {static_cast<std::uint32_t>(i), first});  // (n, …)
      x = process.renoise(x, noise, epsilon, at[i]);                                         // (n, …)
      x = with_known(f(x, detail::time_column(x, at[i])));                                   // (n, …)
    }
    return x;
  }

 private:
  /// Of samples first … first + n − 1.
  X rows(X const& of, std::uint32_t first, Index n) const {
    auto const one = of.shape().with(0, 1);
    X chosen{of.shape().with(0, n)};
    for (Index i = 0; i < n; ++i)
      chosen.view(i * one.count(), one).assign(of.view((first + i) / results * one.count(), one));
    return chosen;
  }
};
template <class X, class A>
Edit(X, X, A) -> Edit<X, A>;

struct EditSettings {
  Index results = 1;  ///< of each image: row i · results + j is result j of image i
  std::uint64_t seed = 0;
  std::vector<double> times{};  ///< as in Edit
  Index batch = 64;
  Condition<Tensor<float>> condition{};  ///< of each result
};

namespace detail {

/// All results of an edit, (m · results, …). θ are parameters, or prepared ones.
template <class X, class A>
X edited(auto const& f, auto const& theta, Edit<X, A> edit, EditSettings const& settings) {
  edit.times = settings.times;
  edit.results = settings.results;
  edit.check(f.process());
  if constexpr (!OnHost<typename X::Backend>) edit.check_mask(to<Cpu>(edit.mask));
  return sample(f, theta, edit,
                {.seed = settings.seed,
                 .count = edit.y.shape()[0] * edit.results,
                 .batch = settings.batch,
                 .condition = settings.condition});
}

}  // namespace detail

}  // namespace consistency
