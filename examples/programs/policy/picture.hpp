// SPDX-License-Identifier: MIT
#pragma once

// Episodes as pictures: the table from above.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <consistency/io/image.hpp>

#include "rollout.hpp"

namespace pushing {

using consistency::Image;

/// Tables side by side, row by row.
class Canvas {
 public:
  using Colour = std::array<double, 3>;

  Canvas(Index rows, Index columns, Index side)
      : columns_{columns},
        side_{side},
        image_{.height = rows * (side + gap) + gap,
               .width = columns * (side + gap) + gap,
               .channels = 3,
               .pixels = {}} {
    image_.pixels.assign(static_cast<std::size_t>(3 * image_.height * image_.width), 255);
    for (Index cell = 0; cell < rows * columns; ++cell)
      for (Index y = 0; y < side; ++y)
        for (Index x = 0; x < side; ++x) blend(cell, x, y, {243, 244, 247}, 1);
  }

  /// A disc on the table of a cell, or the ring of its edge.
  void disc(Index cell, Point at, double radius, Colour const& colour, double opacity = 1,
            bool ring = false) {
    auto const scale = static_cast<double>(side_) / 2;
    auto const cx = (at.x + 1) * scale, cy = (1 - at.y) * scale, r = radius * scale;
    for (auto y = pixel(cy - r - 1); y <= pixel(cy + r + 1); ++y)
      for (auto x = pixel(cx - r - 1); x <= pixel(cx + r + 1); ++x) {
        auto const d = std::hypot(static_cast<double>(x) + 0.5 - cx, static_cast<double>(y) + 0.5 - cy);
        auto const cover = ring ? 1.2 - std::abs(d - r) : r + 0.5 - d;
        blend(cell, x, y, colour, opacity * std::clamp(cover, 0.0, 1.0));
      }
  }

  Image const& image() const { return image_; }

 private:
  static constexpr Index gap = 6;

  Index pixel(double at) const { return std::clamp<Index>(static_cast<Index>(std::floor(at)), 0, side_ - 1); }
  void blend(Index cell, Index x, Index y, Colour const& colour, double opacity) {
    auto const row = gap + cell / columns_ * (side_ + gap) + y,
               column = gap + cell % columns_ * (side_ + gap) + x;
    for (std::size_t c = 0; c < 3; ++c) {
      auto& value = image_.pixels[static_cast<std::size_t>((row * image_.width + column) * 3) + c];
      value = static_cast<std::uint8_t>(std::lround((1 - opacity) * value + opacity * colour[c]));
    }
  }

  Index columns_, side_;
  Image image_;
};

inline constexpr Canvas::Colour ink{31, 58, 112}, wood{214, 139, 60}, green{52, 152, 96}, red{190, 60, 60};

inline void draw_state(Canvas& canvas, Index cell, State const& s) {
  canvas.disc(cell, s.goal, puck_radius + goal_radius, s.solved() ? green : red, 0.9, true);
  canvas.disc(cell, s.puck, puck_radius, s.solved() ? green : wood, 0.85);
  canvas.disc(cell, s.pusher, pusher_radius, ink);
}

/// The ways of pusher and puck: a row for each rollout, its first episodes.
inline Image ways(std::vector<Rollout> const& rollouts, Index columns, Index side) {
  Canvas canvas{static_cast<Index>(rollouts.size()), columns, side};
  for (Index cell = 0; cell < static_cast<Index>(rollouts.size()) * columns; ++cell) {
    auto const& episode =
        rollouts[static_cast<std::size_t>(cell / columns)].episodes[static_cast<std::size_t>(cell % columns)];
    canvas.disc(cell, episode.front().puck, puck_radius, wood, 0.25);
    canvas.disc(cell, episode.front().pusher, pusher_radius, ink, 0.25);
    for (std::size_t k = 1; k < episode.size(); ++k)
      for (int piece = 0; piece < 8; ++piece) {
        auto const between = [&](Point a, Point b) { return a + (piece / 8.0) * (b - a); };
        canvas.disc(cell, between(episode[k - 1].pusher, episode[k].pusher), 0.012, ink, 0.5);
        canvas.disc(cell, between(episode[k - 1].puck, episode[k].puck), 0.012, wood, 0.5);
      }
    draw_state(canvas, cell, episode.back());
  }
  return canvas.image();
}

/// The same as an animation, every `stride`th step.
inline std::vector<Image> frames(std::vector<Rollout> const& rollouts, Index columns, Index side,
                                 std::size_t stride) {
  std::size_t longest = 0;
  auto const shown = [&](Index cell) -> auto const& {
    return rollouts[static_cast<std::size_t>(cell / columns)]
        .episodes[static_cast<std::size_t>(cell % columns)];
  };
  auto const cells = static_cast<Index>(rollouts.size()) * columns;
  for (Index cell = 0; cell < cells; ++cell) longest = std::max(longest, shown(cell).size());
  std::vector<Image> all;
  for (std::size_t k = 0; k < longest + stride; k += stride) {
    Canvas canvas{static_cast<Index>(rollouts.size()), columns, side};
    for (Index cell = 0; cell < cells; ++cell)
      draw_state(canvas, cell, shown(cell)[std::min(k, shown(cell).size() - 1)]);
    all.push_back(canvas.image());
  }
  return all;
}

}  // namespace pushing
