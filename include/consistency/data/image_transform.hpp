// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <consistency/core/shape.hpp>
#include <consistency/data/augmentation.hpp>

namespace consistency {

/// Applies transforms to images of one size, one after the other. The image is mirrored beyond its borders,
/// brought to twice its resolution by a wavelet's low-pass filter, read at the places that the transform
/// says, between pixels in proportion, and brought back (Karras et al. 2020, Appendix B, of StyleGAN2-ADA).
class ImageTransformer {
 public:
  ImageTransformer(Index height, Index width, Index channels)
      : height_{height}, width_{width}, channels_{channels} {}

  /// In place: pixels (h, w, c).
  void operator()(ImageTransform const& transform, float* pixels) {
    if (transform.mirrored) mirror(pixels);
    if (transform.upside_down) turn_over(pixels);
    if (transform.moved) move(transform.source, pixels);
  }

 private:
  /// The low-pass filter of the symlet of order 6 (Daubechies 1992).
  static constexpr auto filter = std::array{
      0.015404109327027373F,  0.0034907120842174702F, -0.11799011114819057F,  -0.048311742585633F,
      0.4910559419267466F,    0.787641141030194F,     0.3379294217276218F,    -0.07263752278646252F,
      -0.021060292512300564F, 0.04472490177066578F,   0.0017677118642428036F, -0.007800708325034148F};
  static constexpr Index reach =
      3;  ///< pixels that the filter sees to either side, once more when it goes back

  void mirror(float* pixels) const {
    for (Index y = 0; y < height_; ++y)
      for (Index x = 0; x < width_ / 2; ++x)
        std::swap_ranges(pixels + (y * width_ + x) * channels_, pixels + (y * width_ + x + 1) * channels_,
                         pixels + (y * width_ + width_ - 1 - x) * channels_);
  }
  void turn_over(float* pixels) const {
    auto const row = width_ * channels_;
    for (Index y = 0; y < height_ / 2; ++y)
      std::swap_ranges(pixels + y * row, pixels + (y + 1) * row, pixels + (height_ - 1 - y) * row);
  }

  /// Pixels beyond each border that the corners of the new image reach, at most all but one of a side.
  struct Margin {
    Index left, top, right, bottom;
  };
  Margin margin(AffineMap const& source) const {
    auto const cx = static_cast<double>(width_ - 1) / 2, cy = static_cast<double>(height_ - 1) / 2;
    std::array<double, 4> most{};
    for (auto const& [x, y] : {std::pair{-cx, -cy}, {cx, -cy}, {cx, cy}, {-cx, cy}}) {
      auto const [u, v] = source(x, y);
      most[0] = std::max(most[0], -u - cx + 2 * reach), most[1] = std::max(most[1], -v - cy + 2 * reach);
      most[2] = std::max(most[2], u - cx + 2 * reach), most[3] = std::max(most[3], v - cy + 2 * reach);
    }
    auto const pixels = [](double beyond, Index side) {
      return static_cast<Index>(std::ceil(std::min(beyond, static_cast<double>(side - 1))));
    };
    return {pixels(most[0], width_), pixels(most[1], height_), pixels(most[2], width_),
            pixels(most[3], height_)};
  }

  static Index reflected(Index i, Index side) { return i < 0 ? -i : i >= side ? 2 * (side - 1) - i : i; }

  void move(AffineMap const& source, float* pixels) {
    auto const m = margin(source);
    auto const w = m.left + width_ + m.right, h = m.top + height_ + m.bottom;
    // The map from the place in the new image to that in the wider one at twice the resolution, in pixels of
    // either from its centre: half of these are half a pixel off.
    auto const apart = AffineMap::translation(static_cast<double>(m.left - m.right) / 2,
                                              static_cast<double>(m.top - m.bottom) / 2);
    auto const map = AffineMap::translation(-0.5, -0.5)
                         .after(AffineMap::scaling(2, 2))
                         .after(apart)
                         .after(source)
                         .after(AffineMap::scaling(0.5, 0.5))
                         .after(AffineMap::translation(0.5, 0.5));
    for (Index c = 0; c < channels_; ++c) {
      upsample(pixels + c, m, h, w);
      read(map, h, w);
      downsample(pixels + c);
    }
  }

  /// large_ (2h, 2w): one channel, mirrored beyond its borders, through the filter along rows and columns.
  void upsample(float const* channel, Margin const& m, Index h, Index w) {
    line_.assign(static_cast<std::size_t>(w + 2 * reach), 0.0F);
    rows_.resize(static_cast<std::size_t>((h + 2 * reach) * 2 * w));  // (h + 6, 2w), zeros above and below
    std::fill_n(rows_.begin(), reach * 2 * w, 0.0F);
    std::fill_n(rows_.end() - reach * 2 * w, reach * 2 * w, 0.0F);
    for (Index y = 0; y < h; ++y) {
      auto const* const from = channel + reflected(y - m.top, height_) * width_ * channels_;
      for (Index x = 0; x < w; ++x)
        line_[static_cast<std::size_t>(x + reach)] = from[reflected(x - m.left, width_) * channels_];
      auto* const to = rows_.data() + (y + reach) * 2 * w;
      for (Index x = 0; x < w; ++x) {
        float even = 0, odd = 0;
        for (std::size_t s = 0; s < 6; ++s) {
          even += filter[11 - 2 * s] * line_[static_cast<std::size_t>(x) + s];
          odd += filter[10 - 2 * s] * line_[static_cast<std::size_t>(x) + 1 + s];
        }
        to[2 * x] = even, to[2 * x + 1] = odd;
      }
    }
    large_.resize(static_cast<std::size_t>(4 * h * w));
    for (Index y = 0; y < 2 * h; ++y) {
      auto* const to = large_.data() + y * 2 * w;
      std::fill_n(to, 2 * w, 0.0F);
      for (Index s = 0; s < 6; ++s) {
        auto const tap = filter[static_cast<std::size_t>(11 - y % 2 - 2 * s)];
        auto const* const from = rows_.data() + (y / 2 + y % 2 + s) * 2 * w;
        for (Index x = 0; x < 2 * w; ++x) to[x] += tap * from[x];
      }
    }
  }

  /// moved_ (2h', 2w'): the new image at twice the resolution and `reach` wider to all sides; zeros where the
  /// old one has no pixel.
  void read(AffineMap const& map, Index h, Index w) {
    auto const rows = 2 * (height_ + 2 * reach), columns = 2 * (width_ + 2 * reach);
    moved_.resize(static_cast<std::size_t>(rows * columns));
    auto const at = [&](Index y, Index x) {
      return y >= 0 && x >= 0 && y < 2 * h && x < 2 * w ? large_[static_cast<std::size_t>(y * 2 * w + x)]
                                                        : 0.0F;
    };
    auto* to = moved_.data();
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < columns; ++j) {
        auto const [u, v] = map(static_cast<double>(j) + 0.5 - static_cast<double>(columns) / 2,
                                static_cast<double>(i) + 0.5 - static_cast<double>(rows) / 2);
        auto const x = u + static_cast<double>(w) - 0.5, y = v + static_cast<double>(h) - 0.5;
        auto const left = std::floor(x), top = std::floor(y);
        auto const p = static_cast<float>(x - left), q = static_cast<float>(y - top);
        auto const column = static_cast<Index>(left), row = static_cast<Index>(top);
        *to++ = (1 - q) * ((1 - p) * at(row, column) + p * at(row, column + 1)) +
                q * ((1 - p) * at(row + 1, column) + p * at(row + 1, column + 1));
      }
  }

  /// One channel (h', w') of moved_, through the filter along rows and columns.
  void downsample(float* channel) {
    auto const rows = 2 * (height_ + 2 * reach), columns = 2 * (width_ + 2 * reach);
    rows_.resize(static_cast<std::size_t>(rows * width_));
    for (Index i = 0; i < rows; ++i)
      for (Index x = 0; x < width_; ++x) {
        float sum = 0;
        auto const* const from = moved_.data() + i * columns + 2 * (x + reach) - 5;
        for (std::size_t t = 0; t < filter.size(); ++t) sum += filter[t] * from[t];
        rows_[static_cast<std::size_t>(i * width_ + x)] = sum;
      }
    for (Index y = 0; y < height_; ++y)
      for (Index x = 0; x < width_; ++x) {
        float sum = 0;
        auto const* const from = rows_.data() + (2 * (y + reach) - 5) * width_ + x;
        for (std::size_t t = 0; t < filter.size(); ++t)
          sum += filter[t] * from[static_cast<Index>(t) * width_];
        channel[(y * width_ + x) * channels_] = sum;
      }
  }

  Index height_, width_, channels_;
  std::vector<float> line_, rows_, large_, moved_;
};

}  // namespace consistency
