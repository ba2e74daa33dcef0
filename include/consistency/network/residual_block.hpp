#pragma once

#include <numbers>
#include <optional>
#include <string>

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

/// A residual block of the EDM family (Karras et al. 2022, Appendix F.2):
/// (skip(x) + conv(drop(norm(conv(norm x), time)))) / √2, then self-attention likewise where asked.
class ResidualBlock {
 public:
  struct Settings {
    Index embedding = 128;  ///< channels of the time embedding
    Index groups = 8;
    Index heads = 0;  ///< 0: no attention
    double dropout = 0;
    Conditioning conditioning = Conditioning::scale_shift;
    Resampling resampling = Resampling::none;
  };

  ResidualBlock(ParameterTable& table, std::string const& name, Index in, Index out, Settings settings)
      : norm0_{table, name + ".norm0", in, {.groups = settings.groups}},
        conv0_{table, name + ".conv0", in, out},
        affine_{table, name + ".affine", settings.embedding,
                settings.conditioning == Conditioning::scale_shift ? 2 * out : out, 0.3},
        norm1_{table, name + ".norm1", out, {.groups = settings.groups}},
        dropout_{settings.dropout, static_cast<std::uint32_t>(table.entries().size())},
        conv1_{table, name + ".conv1", out, out, {.gain = 1e-2}},
        out_{out},
        settings_{settings} {
    if (in != out) skip_.emplace(table, name + ".skip", in, out);
    if (settings.heads > 0)
      attention_.emplace(table, name + ".attention", out, settings.heads, settings.groups);
  }

  /// x (n, h, w, in), embedding (n, e) → (n, h', w', out)
  template <Value X>
  X operator()(auto const& theta, X const& x, Value auto const& embedding, Mode const& mode) const {
    constexpr auto half = std::numbers::sqrt2 / 2;
    auto const n = x.shape()[0];
    X h = conv0_(theta, resample(norm0_(theta, x)));
    auto const affine = affine_(theta, embedding);
    if (settings_.conditioning == Conditioning::scale_shift) {
      auto const pair = reshape(affine, {n, 1, 1, 2 * out_});
      h = norm1_(theta, h, slice(pair, 0, out_), slice(pair, out_, 2 * out_));
    } else {
      h = norm1_(theta, h + reshape(affine, {n, 1, 1, out_}));
    }
    h = conv1_(theta, dropout_(h, mode));
    X const straight = skip_ ? X((*skip_)(theta, resample(x))) : resample(x);
    h = half * (straight + h);
    if (attention_) h = half * (h + (*attention_)(theta, h));
    return h;
  }

 private:
  template <Value X>
  X resample(X const& x) const {
    if (settings_.resampling == Resampling::up) return upsample(x);
    if (settings_.resampling == Resampling::down) return downsample(x);
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
  Settings settings_;
};

}  // namespace consistency
