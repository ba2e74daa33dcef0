// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>

#include <consistency/core/error.hpp>

namespace consistency {

using Index = std::int64_t;

/// The extents of a tensor, outermost first; rank 0 (a number) to 4. Images are (n, h, w, c), vectors (n, d).
class Shape {
 public:
  static constexpr std::size_t max_rank = 4;

  constexpr Shape() = default;
  /// Throws shape_error for more than four extents, a negative one, or a product that overflows.
  constexpr Shape(std::initializer_list<Index> extents) {
    if (extents.size() > max_rank)
      fail<shape_error>("Shape", "rank", number_text(extents.size()), "at most 4");
    for (auto const extent : extents) push_back(extent);
  }

  constexpr void push_back(Index extent) {
    if (rank_ == max_rank) fail<shape_error>("Shape", "rank", "5", "at most 4");
    if (extent < 0) fail<shape_error>("Shape", "extent", number_text(extent), "0 or more");
    if (extent != 0 && count_ > std::numeric_limits<Index>::max() / extent)
      fail<shape_error>("Shape", "number of elements", "more than 2^63", "a product that fits 63 bits");
    extents_[rank_++] = extent;
    count_ *= extent;
  }

  constexpr std::size_t rank() const { return rank_; }
  constexpr Index count() const { return count_; }  ///< number of elements
  constexpr Index operator[](std::size_t axis) const { return extents_[axis]; }
  constexpr Index back() const { return rank_ == 0 ? 1 : extents_[rank_ - 1]; }  ///< channels
  constexpr Index rows() const { return back() == 0 ? 0 : count_ / back(); }     ///< all but the last axis
  constexpr Index const* begin() const { return extents_.data(); }
  constexpr Index const* end() const { return extents_.data() + rank_; }

  /// The same shape with one extent replaced.
  constexpr Shape with(std::size_t axis, Index extent) const {
    Shape changed;
    for (std::size_t i = 0; i < rank_; ++i) changed.push_back(i == axis ? extent : extents_[i]);
    return changed;
  }
  constexpr Shape with_channels(Index channels) const { return with(rank_ - 1, channels); }
  /// (n, …) of n samples, each of this shape.
  constexpr Shape samples(Index n) const {
    Shape s{n};
    for (std::size_t i = 0; i < rank_; ++i) s.push_back(extents_[i]);
    return s;
  }
  /// (n, 1, …, 1) of the same rank: one number per sample, broadcastable against this shape.
  constexpr Shape per_sample() const {
    Shape s;
    for (std::size_t i = 0; i < rank_; ++i) s.push_back(i == 0 ? extents_[0] : 1);
    return s;
  }

  friend constexpr bool operator==(Shape const& a, Shape const& b) {
    if (a.rank_ != b.rank_) return false;
    for (std::size_t i = 0; i < a.rank_; ++i)
      if (a.extents_[i] != b.extents_[i]) return false;
    return true;
  }

  std::string text() const {  ///< "(64, 28, 28, 1)"
    std::string s = "(";
    for (std::size_t i = 0; i < rank_; ++i) s += (i == 0 ? "" : ", ") + number_text(extents_[i]);
    return s + ")";
  }

 private:
  std::array<Index, max_rank> extents_{};
  std::size_t rank_ = 0;
  Index count_ = 1;
};

/// The shape of a ∘ b under NumPy's rule: axes aligned at the last, extents equal or one of them 1.
inline Shape broadcast(Shape const& a, Shape const& b) {
  auto const rank = a.rank() > b.rank() ? a.rank() : b.rank();
  Shape result;
  for (std::size_t i = 0; i < rank; ++i) {
    auto const x = i + a.rank() < rank ? 1 : a[i + a.rank() - rank];
    auto const y = i + b.rank() < rank ? 1 : b[i + b.rank() - rank];
    if (x != y && x != 1 && y != 1)
      fail<shape_error>("broadcast", "shapes", a.text() + " and " + b.text(),
                        "axes aligned at the last, extents equal or 1",
                        "Reshape one operand, e.g. times to (n, 1, 1, 1).");
    result.push_back(x == 1 ? y : x);
  }
  return result;
}

}  // namespace consistency
