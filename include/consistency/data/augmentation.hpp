// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include <consistency/core/check.hpp>
#include <consistency/core/random.hpp>

namespace consistency {

/// x ↦ M x + v of points of a plane.
struct AffineMap {
  std::array<double, 4> M{1, 0, 0, 1};  ///< row by row
  std::array<double, 2> v{0, 0};

  std::array<double, 2> operator()(double x, double y) const {
    return {M[0] * x + M[1] * y + v[0], M[2] * x + M[3] * y + v[1]};
  }
  /// The map that does `first`, then this.
  AffineMap after(AffineMap const& first) const {
    return {{M[0] * first.M[0] + M[1] * first.M[2], M[0] * first.M[1] + M[1] * first.M[3],
             M[2] * first.M[0] + M[3] * first.M[2], M[2] * first.M[1] + M[3] * first.M[3]},
            (*this)(first.v[0], first.v[1])};
  }
  static AffineMap scaling(double x, double y) { return {.M = {x, 0, 0, y}}; }
  static AffineMap rotation(double angle) {
    return {.M = {std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle)}};
  }
  static AffineMap translation(double x, double y) { return {.v = {x, y}}; }
};

/// What is done to one image.
struct ImageTransform {
  static constexpr std::size_t label_count = 9;

  bool mirrored = false, upside_down = false;
  bool moved = false;  ///< by `source`
  AffineMap source{};  ///< from a place in the new image to that in the old, in pixels from the centre
  std::array<float, label_count> labels{};  ///< tell the network; all 0 where nothing is done

  /// A place of the new image is first mapped by `next`, then by what there was.
  void then(AffineMap const& next) {
    source = source.after(next);
    moved = true;
  }
};

/// Which transforms an image may undergo, as training of EDM's denoisers augments data without the network
/// drawing what was done: it is told by labels (Karras et al. 2022, Appendix F.2, Table 6).
struct AugmentationSettings {
  double rate = 0.12;    ///< probability of each transform but mirroring
  double mirror = 0.5;   ///< probability of mirroring left to right
  double scale = 0.2;    ///< standard deviation of log₂ of the size
  double stretch = 0.2;  ///< of log₂ of the size along a direction; it shrinks across
  double shift = 0.125;  ///< of the shift, in sides of the image
  bool labelled = true;  ///< the condition of a batch ends with the labels

  void check() const {
    require_setting(rate >= 0 && rate <= 1, "Augmentation", "rate", rate, "[0, 1]");
    require_setting(mirror >= 0 && mirror <= 1, "Augmentation", "mirror", mirror, "[0, 1]");
    require_setting(scale >= 0 && scale <= 1, "Augmentation", "scale", scale, "[0, 1]");
    require_setting(stretch >= 0 && stretch <= 1, "Augmentation", "stretch", stretch, "[0, 1]");
    require_setting(shift >= 0 && shift <= 1, "Augmentation", "shift", shift, "[0, 1]");
  }

  /// What is drawn for an image; 0 where a transform is not done.
  struct Draw {
    bool mirrored = false, upside_down = false;
    double size = 0;                    ///< N(0, 1)
    double angle = 0;                   ///< of the rotation, in (−π, π)
    double stretch = 0, direction = 0;  ///< N(0, 1), and an angle
    std::array<double, 2> shift{0, 0};  ///< N(0, 1) each, to the right and down
  };

  /// The transform of a sample of a step, for images of a height and width; depends on the key and `at`
  /// alone.
  ImageTransform draw(Key key, Counter at, double height, double width) const {
    using std::numbers::pi;
    auto const own = key.with_stream(stream::augmentation);
    auto const coins = uniform_block<double>(own, at, 0), asked = uniform_block<double>(own, at, 1);
    auto const angles = uniform_block<double>(own, at, 2);
    auto const z = normal_block<double>(own, at, 3);
    Draw d;
    d.mirrored = coins[0] < mirror;
    d.upside_down = coins[1] < rate && coins[2] < 0.5;
    if (asked[0] < rate) d.size = z[0];
    if (asked[1] < rate) d.angle = pi * (2 * angles[0] - 1);
    if (asked[2] < rate) {
      d.stretch = z[1];
      d.direction = angles[1] < 0.5 ? pi * (2 * angles[2] - 1) : 0;
    }
    if (asked[3] < rate) d.shift = {z[2], z[3]};
    return transform(d, height, width);
  }

  ImageTransform transform(Draw const& d, double height, double width) const {
    ImageTransform t{.mirrored = d.mirrored, .upside_down = d.upside_down};
    if (d.size != 0) t.then(AffineMap::scaling(std::exp2(-scale * d.size), std::exp2(-scale * d.size)));
    if (d.angle != 0) t.then(AffineMap::rotation(d.angle));
    if (d.stretch != 0) {
      auto const s = std::exp2(stretch * d.stretch);
      t.then(AffineMap::rotation(-d.direction));
      t.then(AffineMap::scaling(1 / s, s));
      t.then(AffineMap::rotation(d.direction));
    }
    if (d.shift[0] != 0 || d.shift[1] != 0)
      t.then(AffineMap::translation(-shift * width * d.shift[0], -shift * height * d.shift[1]));
    auto const labels = std::array{d.mirrored ? 1.0 : 0.0,
                                   d.upside_down ? 1.0 : 0.0,
                                   d.size,
                                   std::cos(d.angle) - 1,
                                   std::sin(d.angle),
                                   d.stretch * std::cos(d.direction),
                                   d.stretch * std::sin(d.direction),
                                   d.shift[0],
                                   d.shift[1]};
    for (std::size_t i = 0; i < labels.size(); ++i) t.labels[i] = static_cast<float>(labels[i]);
    return t;
  }
};

}  // namespace consistency
