#pragma once

#include <string>

#include <consistency/network/layer/linear.hpp>
#include <consistency/network/layer/normalization.hpp>

namespace consistency {

/// Multi-head self-attention over the pixels of an image (Vaswani et al. 2017), after a normalisation;
/// without the residual connection.
class SelfAttention {
 public:
  /// `norm` is the normalisation's own name. Throws config_error where channels are not divisible by heads.
  SelfAttention(ParameterTable& table, std::string const& name, Index channels, Index heads,
                Normalization::Settings settings, std::string const& norm = "norm")
      : norm_{table, name + "." + norm, channels, without_silu(settings)},
        qkv_{table, name + ".qkv", channels, 3 * channels},
        proj_{table, name + ".proj", channels, channels, 1e-2},
        channels_{channels},
        heads_{heads} {
    if (heads < 1 || channels % heads != 0)
      throw config_error{{.where = name,
                          .what = "channels not divisible by heads",
                          .found = number_text(channels) + " channels, " + number_text(heads) + " heads",
                          .expected = "a multiple of the heads",
                          .advice = ""}};
  }

  /// x (n, h, w, c) → (n, h, w, c)
  auto operator()(auto const& theta, Value auto const& x) const {
    auto const shape = x.shape();
    auto const sequence = Shape{shape[0], shape[1] * shape[2], 3 * channels_};
    auto const qkv = reshape(qkv_(theta, norm_(theta, x)), sequence);
    auto const q = slice(qkv, 0, channels_);
    auto const k = slice(qkv, channels_, 2 * channels_);
    auto const v = slice(qkv, 2 * channels_, 3 * channels_);
    return proj_(theta, reshape(attention(q, k, v, {.heads = heads_}), shape));
  }

 private:
  static Normalization::Settings without_silu(Normalization::Settings settings) {
    settings.silu = false;
    return settings;
  }

  Normalization norm_;
  Linear qkv_, proj_;
  Index channels_, heads_;
};

}  // namespace consistency
