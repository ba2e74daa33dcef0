// SPDX-License-Identifier: MIT
#include <cmath>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include <consistency/network/residual_block.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

/// Random parameters of a table, also by name.
struct Named {
  explicit Named(ParameterTable const& table) : theta{table} {
    auto const draws = normal<double>({1, table.size()}, {1});
    for (auto const& entry : table.entries())
      for (Index i = 0; i < entry.shape.count(); ++i)
        theta.flat().mutable_data()[entry.offset + i] = draws[entry.offset + i];
    for (ParameterId id = 0; id < table.entries().size(); ++id) by_name[table.entries()[id].name] = theta[id];
  }
  T const& operator[](std::string const& name) const { return by_name.at(name); }

  Parameters<T> theta;
  std::map<std::string, T> by_name;
};

/// Group normalisation with each sample's own scale and shift, then SiLU, in plain loops over (n, h, w, c).
T normalized(T const& x, Index groups, auto const& scale, auto const& shift, double epsilon,
             bool with_silu = true) {
  auto const n = x.shape()[0];
  auto const c = x.shape()[3];
  auto const pixels = x.shape()[1] * x.shape()[2];
  auto const per_group = c / groups;
  auto y = T{x.shape()};
  for (Index i = 0; i < n; ++i)
    for (Index g = 0; g < groups; ++g) {
      auto const over = [&](auto const& visit) {
        for (Index p = 0; p < pixels; ++p)
          for (Index j = 0; j < per_group; ++j)
            visit((i * pixels + p) * c + g * per_group + j, g * per_group + j);
      };
      auto const count = static_cast<double>(pixels * per_group);
      double mean = 0, variance = 0;
      over([&](Index at, Index) { mean += x[at] / count; });
      over([&](Index at, Index) { variance += (x[at] - mean) * (x[at] - mean) / count; });
      over([&](Index at, Index channel) {
        auto const v = (x[at] - mean) / std::sqrt(variance + epsilon) * scale(i, channel) + shift(i, channel);
        y.mutable_data()[at] = with_silu ? v / (1 + std::exp(-v)) : v;
      });
    }
  return y;
}

T resampled(T const& x, Resampling how) {
  if (how == Resampling::up) return upsample(x);
  if (how == Resampling::down) return downsample(x);
  return x;
}

/// The block by its formula (Karras et al. 2022, Appendix F.2).
T by_hand(Named const& p, T const& x, T const& embedding, Index out, ResidualBlockSettings const& s) {
  auto const plain = [&](std::string const& name, T const& at) {
    auto const& weight = p[name + ".weight"];
    auto const& bias = p[name + ".bias"];
    return normalized(
        at, s.groups, [&](Index, Index c) { return weight[c]; }, [&](Index, Index c) { return bias[c]; },
        s.epsilon);
  };
  T const affine = linear(embedding, p["b.affine.weight"], p["b.affine.bias"]);
  T h = conv2d(resampled(plain("b.norm0", x), s.resampling), p["b.conv0.weight"], p["b.conv0.bias"]);
  if (s.conditioning == Conditioning::scale_shift) {
    auto const scale = [&](Index i, Index c) { return 1 + affine[2 * out * i + c]; };
    auto const shift = [&](Index i, Index c) { return affine[2 * out * i + out + c]; };
    h = normalized(
        h, s.groups, [&](Index i, Index c) { return p["b.norm1.weight"][c] * scale(i, c); },
        [&](Index i, Index c) { return p["b.norm1.bias"][c] * scale(i, c) + shift(i, c); }, s.epsilon);
  } else {
    h = plain("b.norm1", h + reshape(affine, {x.shape()[0], 1, 1, out}));
  }
  h = conv2d(h, p["b.conv1.weight"], p["b.conv1.bias"]);
  auto straight = resampled(x, s.resampling);
  if (x.shape()[3] != out || (s.project_resampled && s.resampling != Resampling::none))
    straight = linear(straight, p["b.skip.weight"], p["b.skip.bias"]);
  T y = (straight + h) / std::sqrt(2.0);
  if (s.heads == 0) return y;

  auto const prefix = std::string{s.edm_attention ? "b." : "b.attention."};
  auto const norm = prefix + (s.edm_attention ? "norm2" : "norm");
  auto const normed = normalized(
      y, s.groups, [&](Index, Index c) { return p[norm + ".weight"][c]; },
      [&](Index, Index c) { return p[norm + ".bias"][c]; }, s.epsilon, false);
  T const qkv = linear(normed, p[prefix + "qkv.weight"], p[prefix + "qkv.bias"]);
  auto mixed = T(y.shape(), 0.0);
  auto const pixels = y.shape()[1] * y.shape()[2];
  auto const per_head = out / s.heads;
  for (Index i = 0; i < y.shape()[0]; ++i)
    for (Index head = 0; head < s.heads; ++head)
      for (Index a = 0; a < pixels; ++a) {
        auto const at = [&](Index pixel, Index part, Index c) {
          return qkv[(i * pixels + pixel) * 3 * out + part * out + head * per_head + c];
        };
        double total = 0;
        for (auto const second : {false, true})  // first the denominator of the softmax, then the mean
          for (Index b = 0; b < pixels; ++b) {
            double score = 0;
            for (Index c = 0; c < per_head; ++c) score += at(a, 0, c) * at(b, 1, c);
            auto const weight = std::exp(score / std::sqrt(static_cast<double>(per_head)));
            if (!second) total += weight;
            for (Index c = 0; second && c < per_head; ++c)
              mixed.mutable_data()[(i * pixels + a) * out + head * per_head + c] +=
                  weight / total * at(b, 2, c);
          }
      }
  return (y + linear(mixed, p[prefix + "proj.weight"], p[prefix + "proj.bias"])) / std::sqrt(2.0);
}

}  // namespace

TEST_CASE("a residual block is its formula for every setting") {
  for (auto const conditioning : {Conditioning::scale_shift, Conditioning::add})
    for (auto const resampling : {Resampling::none, Resampling::up, Resampling::down})
      for (Index const out : {4, 8})
        for (Index const heads : {0, 1, 2})
          for (auto const as_ddpmpp : {false, true}) {
            ParameterTable table;
            auto const settings = ResidualBlockSettings{.embedding = 5,
                                                        .groups = 2,
                                                        .epsilon = as_ddpmpp ? 0.1 : 1e-5,
                                                        .heads = heads,
                                                        .edm_attention = as_ddpmpp,
                                                        .project_resampled = as_ddpmpp,
                                                        .conditioning = conditioning,
                                                        .resampling = resampling};
            auto const block = ResidualBlock{table, "b", 4, out, settings};
            auto const p = Named{table};
            auto const x = normal<double>({3, 4, 6, 4}, {2});
            auto const embedding = normal<double>({3, 5}, {3});
            auto const expected = by_hand(p, x, embedding, out, settings);
            CHECK(distance<double>(block(p.theta, x, embedding, Mode{}), expected) <
                  1e-10 * magnitude(expected));
          }
}

TEST_CASE("a normalisation takes fewer groups where they would be too small") {
  auto const groups = [](Index channels, Index least) {
    ParameterTable table;
    auto const norm =
        Normalization{table, "n", channels, {.groups = 4, .silu = false, .group_channels = least}};
    auto const x = normal<double>({1, 2, 2, channels}, {1});
    auto const theta = Parameters<T>::initialized(table, {1});
    T const y = norm(theta, x);
    Index found = 0;
    for (Index const g : {1, 2, 4})
      if (distance<double>(y, group_norm(x, theta[0], theta[1], op::GroupNorm{g, 1e-5, false})) < 1e-12)
        found = g;
    return found;
  };
  CHECK(groups(8, 0) == 4);
  CHECK(groups(8, 4) == 2);
  CHECK(groups(16, 4) == 4);
  CHECK(groups(32, 4) == 4);
}

TEST_CASE("a new block is close to its straight connection") {
  ParameterTable table;
  auto const block = ResidualBlock{table, "b", 8, 8, {.embedding = 6, .heads = 2}};
  auto const theta = Parameters<T>::initialized(table, {1});
  auto const x = normal<double>({2, 4, 4, 8}, {2});
  // Half of x's variance twice: after the convolutions, after the attention.
  CHECK(distance<double>(block(theta, x, normal<double>({2, 6}, {3}), Mode{}), evaluated(0.5 * x)) <
        0.1 * magnitude(x));
}
