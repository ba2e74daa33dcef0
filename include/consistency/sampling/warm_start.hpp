// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <consistency/sampling/one_step.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// Places [begin, end) of lines (n, t, d): the actions of chunks that are to be executed.
auto places(Operand auto const& lines, Index begin, Index end) {
  auto const& x = evaluated(lines);
  auto const n = x.shape()[0], t = x.shape()[1], d = x.shape()[2];
  if (begin < 0 || begin > end || end > t)
    fail<shape_error>("places", "places", "[" + number_text(begin) + ", " + number_text(end) + ")",
                      "within the " + number_text(t) + " of a line");
  return reshape(slice(reshape(x, {n, t * d}), begin * d, end * d), {n, end - begin, d});
}

/// Lines (n, t, d) as they are `count` places later: the rest, and then the last place again and again.
template <Operand X>
auto shifted(X const& lines, Index count) {
  auto const& x = evaluated(lines);
  auto const n = x.shape()[0], t = x.shape()[1], d = x.shape()[2];
  value_t<X> y = reshape(places(x, count, t), {n, (t - count) * d});  // (n, (t − count) · d)
  auto const last = reshape(places(x, t - 1, t), {n, d});             // (n, d)
  for (Index i = 0; i < count; ++i) y = concat(y, last);
  return reshape(y, {n, t, d});
}

/// Receding horizon: one evaluation that begins at the chunk before instead of pure noise. What was executed
/// of it is over; the rest is noised to τ = `time`, and becomes f(x_τ, τ), as in Algorithm 4 of Song et al.
/// 2023: the larger τ, the less binds the new chunk to the old one.
template <class X = Tensor<float>>
struct WarmStart {
  static constexpr Kind kind = Kind::consistency_function;
  X previous;      ///< (n, t, d): of each sample, from the same f
  Index executed;  ///< places of it that are over
  double time;     ///< τ in (ε, T]

  /// Throws config_error for a time outside (ε, T], or more places than there are.
  void check(NoiseProcess auto const& process) const {
    auto const [epsilon, T] = process.range();
    require_setting(time > epsilon && time <= T, "WarmStart", "time", time,
                    "above the smallest of the process, at most the largest");
    require_within("WarmStart", "executed", executed, 0, previous.shape()[1]);
  }

  /// Throws as `check` does, and shape_error where there is not one chunk for each sample.
  X operator()(auto const& f, NoiseProcess auto const& process, X const& z, Key, std::uint32_t) const {
    if (!previous.defined() || previous.shape() != z.shape() || z.shape().rank() != 3)
      fail<shape_error>("WarmStart", "previous", previous.defined() ? previous.shape().text() : "none",
                        z.shape().text() + ", the chunk before of each sample of the batch");
    check(process);
    X const x = process.renoise(shifted(previous, executed), z, process.range().smallest, time);  // (n, t, d)
    return f(x, detail::time_column(x, time));                                                    // (n, t, d)
  }
};
static_assert(Sampler<WarmStart<>>);

}  // namespace consistency
