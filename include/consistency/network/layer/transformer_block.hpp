// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/network/layer/linear.hpp>
#include <consistency/network/parameters.hpp>

namespace consistency {

/// Layer normalisation (Ba et al. 2016) over the last axis.
class LayerNorm {
 public:
  LayerNorm(ParameterTable& table, std::string const& name, Index channels, double epsilon)
      : scale_{table.add(name + ".weight", {channels}, Initializer::ones())},
        shift_{table.add(name + ".bias", {channels}, Initializer::zeros())},
        epsilon_{epsilon} {}

  /// x (n, t, c) → (n, t, c)
  auto operator()(auto const& theta, Operand auto const& x) const {
    auto const& value = evaluated(x);
    auto const& shape = value.shape();
    auto const tokens = reshape(value, {shape[0] * shape[1], 1, 1, shape[2]});  // (n t, 1, 1, c)
    auto const settings = op::GroupNorm{.groups = 1, .epsilon = epsilon_};
    return reshape(group_norm(tokens, theta[scale_], theta[shift_], settings), shape);  // (n, t, c)
  }

 private:
  ParameterId scale_, shift_;
  double epsilon_;
};

struct TransformerBlockSettings {
  Index channels, heads, hidden;
  double epsilon = 1e-6;  ///< of the normalisations
};

/// A block of a vision transformer (Dosovitskiy et al. 2021) with LayerScale (Touvron et al. 2021): x + γ₁ ·
/// attention(norm(x)), then x + γ₂ · mlp(norm(x)). Channels of `qkv`: those of q, then of k, then of v, each
/// head by head.
class TransformerBlock {
 public:
  TransformerBlock(ParameterTable& table, std::string const& name, TransformerBlockSettings const& s)
      : norm1_{table, name + ".norm1", s.channels, s.epsilon},
        qkv_{table, name + ".attn.qkv", s.channels, 3 * s.channels},
        proj_{table, name + ".attn.proj", s.channels, s.channels},
        scale1_{table.add(name + ".ls1.gamma", {s.channels}, Initializer::ones())},
        norm2_{table, name + ".norm2", s.channels, s.epsilon},
        fc1_{table, name + ".mlp.fc1", s.channels, s.hidden},
        fc2_{table, name + ".mlp.fc2", s.hidden, s.channels},
        scale2_{table.add(name + ".ls2.gamma", {s.channels}, Initializer::ones())},
        channels_{s.channels},
        heads_{s.heads} {}

  /// x (n, t, c) → (n, t, c)
  auto operator()(auto const& theta, Value auto const& x) const {
    auto const qkv = qkv_(theta, norm1_(theta, x));                          // (n, t, 3 c)
    auto const q = slice(qkv, 0, channels_);                                 // (n, t, c)
    auto const k = slice(qkv, channels_, 2 * channels_);                     // (n, t, c)
    auto const v = slice(qkv, 2 * channels_, 3 * channels_);                 // (n, t, c)
    auto const mixed = proj_(theta, attention(q, k, v, {.heads = heads_}));  // (n, t, c)
    auto const h = evaluated(x + theta[scale1_] * mixed);                    // (n, t, c)
    auto const hidden = evaluated(gelu(fc1_(theta, norm2_(theta, h))));      // (n, t, hidden)
    return evaluated(h + theta[scale2_] * fc2_(theta, hidden));              // (n, t, c)
  }

 private:
  LayerNorm norm1_;
  Linear qkv_, proj_;
  ParameterId scale1_;
  LayerNorm norm2_;
  Linear fc1_, fc2_;
  ParameterId scale2_;
  Index channels_, heads_;
};

}  // namespace consistency
