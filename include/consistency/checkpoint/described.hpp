// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include <consistency/data/normalizer.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/adm.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/network/song_unet.hpp>
#include <consistency/network/unet.hpp>

namespace consistency {

/// How a model file says a T. Of a network, process or parameterization: `name`, and fields(s, visit), which
/// calls visit(key, field) for each setting of s, t.settings() of a network and t itself of others. Of an
/// enumeration: `names`. Specialise it for one of your own.
template <class T>
struct Described;

// The settings are taken apart by name: one more of them does not compile until a file says it too. What the
// backward pass recomputes is no part of a model.

template <>
struct Described<UNet> {
  static constexpr std::string_view name = "UNet";
  static void fields(auto& s, auto const& visit) {
    auto& [channels, multipliers, blocks, attention, heads, groups, patch, dropout, recompute, embedding,
           conditioning, time, condition, image] = s;
    visit("channels", channels), visit("multipliers", multipliers), visit("blocks", blocks);
    visit("attention", attention), visit("heads", heads), visit("groups", groups), visit("patch", patch);
    visit("dropout", dropout), visit("embedding", embedding), visit("conditioning", conditioning);
    visit("time", time), visit("condition", condition), visit("image", image);
  }
};
template <>
struct Described<SongUNet> {
  static constexpr std::string_view name = "SongUNet";
  static void fields(auto& s, auto const& visit) {
    auto& [channels, multipliers, blocks, attention, heads, groups, dropout, recompute, embedding,
           time_channels, time, filter, pyramid, condition, image] = s;
    visit("channels", channels), visit("multipliers", multipliers), visit("blocks", blocks);
    visit("attention", attention), visit("heads", heads), visit("groups", groups);
    visit("dropout", dropout), visit("embedding", embedding), visit("time_channels", time_channels);
    visit("time", time), visit("filter", filter), visit("pyramid", pyramid);
    visit("condition", condition), visit("image", image);
  }
};
template <>
struct Described<Adm> {
  static constexpr std::string_view name = "Adm";
  static void fields(auto& s, auto const& visit) {
    auto& [channels, multipliers, blocks, attention, head_channels, middle_attention, groups, epsilon,
           dropout, recompute, embedding, conditioning, change, time, condition, image] = s;
    visit("channels", channels), visit("multipliers", multipliers), visit("blocks", blocks);
    visit("attention", attention), visit("head_channels", head_channels);
    visit("middle_attention", middle_attention), visit("groups", groups), visit("epsilon", epsilon);
    visit("dropout", dropout), visit("embedding", embedding), visit("conditioning", conditioning);
    visit("change", change), visit("time", time), visit("condition", condition), visit("image", image);
  }
};
template <>
struct Described<Mlp> {
  static constexpr std::string_view name = "Mlp";
  static void fields(auto& s, auto const& visit) {
    auto& [dimensions, width, layers, embedding, time, condition] = s;
    visit("dimensions", dimensions), visit("width", width), visit("layers", layers);
    visit("embedding", embedding), visit("time", time), visit("condition", condition);
  }
};

template <>
struct Described<TimeEmbedding> {
  static void fields(auto& s, auto const& visit) {
    auto& [kind, scale, endpoint, order] = s;
    visit("kind", kind), visit("scale", scale), visit("endpoint", endpoint), visit("order", order);
  }
};
template <>
struct Described<ConditionSettings> {
  static void fields(auto& s, auto const& visit) {
    auto& [features, null, labels, second_time] = s;
    visit("features", features), visit("null", null), visit("labels", labels);
    visit("second_time", second_time);
  }
};

template <>
struct Described<VarianceExploding> {
  static constexpr std::string_view name = "VarianceExploding";
  static void fields(auto& s, auto const& visit) {
    auto& [epsilon, T, rho] = s;
    visit("epsilon", epsilon), visit("T", T), visit("rho", rho);
  }
};
template <>
struct Described<LinearPath> {
  static constexpr std::string_view name = "LinearPath";
  static void fields(auto& s, auto const& visit) {
    auto& [epsilon, T, rho] = s;
    visit("epsilon", epsilon), visit("T", T), visit("rho", rho);
  }
};
template <>
struct Described<Trigonometric> {
  static constexpr std::string_view name = "Trigonometric";
  static void fields(auto& s, auto const& visit) {
    auto& [sigma_data, epsilon, T, rho] = s;
    visit("sigma_data", sigma_data), visit("epsilon", epsilon), visit("T", T), visit("rho", rho);
  }
};

template <>
struct Described<EdmPreconditioning> {
  static constexpr std::string_view name = "EdmPreconditioning";
  static void fields(auto& s, auto const& visit) { visit("sigma_data", s.sigma_data); }
};
template <>
struct Described<TrigonometricPreconditioning> {
  static constexpr std::string_view name = "TrigonometricPreconditioning";
  static void fields(auto& s, auto const& visit) { visit("sigma_data", s.sigma_data); }
};
template <>
struct Described<VelocityPreconditioning> {
  static constexpr std::string_view name = "VelocityPreconditioning";
  static void fields(auto&, auto const&) {}
};

template <class N, class P, class Process>
struct Described<ConsistencyFunction<N, P, Process>> {
  static constexpr std::string_view name = "ConsistencyFunction";
};
template <class N, class P, class Process>
struct Described<Denoiser<N, P, Process>> {
  static constexpr std::string_view name = "Denoiser";
};

template <>
struct Described<Normalizer> {
  static void fields(auto& s, auto const& visit) {
    auto& [scale, offset] = s;
    visit("scale", scale), visit("offset", offset);
  }
};

template <>
struct Described<TimeEmbedding::Kind> {
  using enum TimeEmbedding::Kind;
  static constexpr std::array names{std::pair{positional, "positional"}, std::pair{fourier, "fourier"}};
};
template <>
struct Described<TimeEmbedding::Order> {
  using enum TimeEmbedding::Order;
  static constexpr std::array names{std::pair{cos_sin, "cos_sin"}, std::pair{sin_cos, "sin_cos"}};
};
template <>
struct Described<Conditioning> {
  static constexpr std::array names{std::pair{Conditioning::scale_shift, "scale_shift"},
                                    std::pair{Conditioning::add, "add"}};
};
template <>
struct Described<ResamplingFilter> {
  static constexpr std::array names{std::pair{ResamplingFilter::box, "box"},
                                    std::pair{ResamplingFilter::binomial, "binomial"}};
};
template <>
struct Described<SecondTime> {
  using enum SecondTime;
  static constexpr std::array names{std::pair{none, "none"}, std::pair{end, "end"}, std::pair{gap, "gap"}};
};
template <>
struct Described<LevelChange> {
  using enum LevelChange;
  static constexpr std::array names{std::pair{residual_block, "residual_block"},
                                    std::pair{convolution, "convolution"},
                                    std::pair{corner_convolution, "corner_convolution"}};
};

}  // namespace consistency
