// SPDX-License-Identifier: MIT
#pragma once

#include <numbers>
#include <optional>
#include <string>

#include <consistency/autodiff/recomputed.hpp>
#include <consistency/network/layer/attention.hpp>
#include <consistency/network/layer/convolution.hpp>
#include <consistency/network/layer/dropout.hpp>
#include <consistency/network/layer/linear.hpp>
#include <consistency/network/layer/normalization.hpp>

namespace consistency {

/// How the time embedding enters a residual block.
enum class Conditioning {
  scale_shift,  ///< scales and shifts the second normalisation (adaptive group norm)
  add           ///< is added before it
};
enum class Resampling { none, up, down };
/// What images are resampled by.
enum class ResamplingFilter {
  box,      ///< (1, 1): the mean of 2×2 pixels, one pixel for four
  binomial  ///< (1, 3, 3, 1), with zeros beyond the borders
};

struct ResidualBlockSettings {
  Index embedding = 128;  ///< channels of the time embedding
  Index groups = 8;
  Index group_channels = 0;  ///< see NormalizationSettings
  double epsilon = 1e-5;     ///< of the normalisations
  Index heads = 0;           ///< 0: no attention
  /// EDM's names of attention's parameters, norm2, qkv and proj of the block itself, and its order of q, k
  /// and v in files.
  bool edm_attention = false;
  bool project_resampled = false;  ///< a 1×1 skip on resampling blocks too, not only where channels change
  double residual_scale = std::numbers::sqrt2 / 2;  ///< of a branch and its skip together: 1/√2, or 1
  double dropout = 0;
  bool recompute = false;  ///< in the backward pass, instead of keeping what it needs: see recomputed()
  Conditioning conditioning = Conditioning::scale_shift;
  Resampling resampling = Resampling::none;
  ResamplingFilter filter = ResamplingFilter::box;
  BlockWeights weights{};
};

/// A residual block of the EDM family (Karras et al. 2022, Appendix F.2):
/// (skip(x) + conv(drop(norm(conv(norm x), time)))) · scale, then self-attention likewise where asked.
class ResidualBlock {
 public:
  /// Throws config_error for sizes that do not fit each other, naming the layer.
  ResidualBlock(ParameterTable& table, std::string const& name, Index in, Index out,
                ResidualBlockSettings settings)
      : norm0_{table, name + ".norm0", in, norm(settings)},
        conv0_{table, name + ".conv0", in, out, {.distribution = settings.weights.distribution}},
        affine_{table,
                name + ".affine",
                settings.embedding,
                settings.conditioning == Conditioning::scale_shift ? 2 * out : out,
                settings.weights.affine,
                settings.weights.distribution},
        norm1_{table, name + ".norm1", out, norm(settings)},
        dropout_{settings.dropout, static_cast<std::uint32_t>(table.entries().size())},
        conv1_{table,
               name + ".conv1",
               out,
               out,
               {.gain = settings.weights.last, .distribution = settings.weights.distribution}},
        out_{out},
        settings_{settings} {
    if (in != out || (settings.project_resampled && settings.resampling != Resampling::none))
      skip_.emplace(table, name + ".skip", in, out, 1, settings.weights.distribution);
    require_within(name, "heads", settings.heads, 0, out);
    if (settings.heads > 0)
      attention_.emplace(table, settings.edm_attention ? name : name + ".attention", out, settings.heads,
                         norm(settings), settings.edm_attention ? "norm2" : "norm", settings.edm_attention,
                         settings.weights);
  }

  bool resamples() const noexcept { return settings_.resampling != Resampling::none; }

  /// x (n, h, w, in), embedding (n, e) → (n, h', w', out)
  template <Value X>
  X operator()(auto const& theta, X const& x, Value auto const& embedding, Mode const& mode) const {
    if (!settings_.recompute) return evaluate(theta, x, embedding, mode);
    return recomputed(
        [this, &theta, mode](auto const& own_x, auto const& own_embedding) {
          return this->evaluate(theta, own_x, own_embedding, mode);  // this: Clang else takes it for unused
        },
        x, embedding);
  }

 private:
  template <Value X>
  X evaluate(auto const& theta, X const& x, Value auto const& embedding, Mode const& mode) const {
    auto const scale_of_sum = settings_.residual_scale;
    auto const n = x.shape()[0];
    X h = resample(norm0_(theta, x));               // (n, h', w', in)
    auto const affine = affine_(theta, embedding);  // (n, 2 out), or (n, out) to add
    if (settings_.conditioning == Conditioning::scale_shift) {
      auto const pair = reshape(affine, {n, 1, 1, 2 * out_});  // (n, 1, 1, 2 out)
      auto const scale = slice(pair, 0, out_);                 // (n, 1, 1, out)
      auto const shift = slice(pair, out_, 2 * out_);          // (n, 1, 1, out)
      h = norm1_(theta, conv0_(theta, h), scale, shift);       // (n, h', w', out)
    } else {
      h = norm1_(theta, conv0_.shifted(theta, h, reshape(affine, {n, 1, 1, out_})));  // (n, h', w', out)
    }
    h = conv1_.added(theta, dropout_(h, mode), skip(theta, x), scale_of_sum);  // (n, h', w', out)
    if (attention_) h = scale_of_sum * (h + (*attention_)(theta, h));          // (n, h', w', out)
    return h;
  }

  static NormalizationSettings norm(ResidualBlockSettings const& s) {
    return {.groups = s.groups, .epsilon = s.epsilon, .group_channels = s.group_channels};
  }

  /// A 1×1 projection commutes with copying pixels, and is cheaper before it.
  template <Value X>
  X skip(auto const& theta, X const& x) const {
    if (!skip_) return resample(x);
    if (settings_.resampling == Resampling::up && settings_.filter == ResamplingFilter::box)
      return upsample((*skip_)(theta, x));
    return (*skip_)(theta, resample(x));
  }

  /// By (1, 3, 3, 1), which is (1, 1) after or before (1, 2, 1), or by (1, 1).
  template <Value X>
  X resample(X const& x) const {
    auto const smooth = settings_.filter == ResamplingFilter::binomial;
    if (settings_.resampling == Resampling::up) return smooth ? X(blur(upsample(x))) : X(upsample(x));
    if (settings_.resampling == Resampling::down) return smooth ? X(downsample(blur(x))) : X(downsample(x));
    return x;
  }

  Normalization norm0_;
  Convolution conv0_;
  Linear affine_;
  Normalization norm1_;
  Dropout dropout_;
  Convolution conv1_;
  std::optional<Linear> skip_;
  std::optional<SelfAttention> attention_;
  Index out_;
  ResidualBlockSettings settings_;
};

}  // namespace consistency
