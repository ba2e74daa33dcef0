// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>

#include <consistency/core/check.hpp>
#include <consistency/core/random.hpp>
#include <consistency/network/parameter_table.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// Features of a time: cos and sin of its product with fixed frequencies, (n, 1, …) → (n, channels).
struct TimeEmbedding {
  enum class Kind : std::uint8_t {
    positional,  ///< frequencies 10000^(−i / half), i < half = channels / 2 (Vaswani et al. 2017)
    fourier      ///< 2π · N(0, 1) draws (Tancik et al. 2020), the same for every seed
  };
  enum class Order : std::uint8_t { cos_sin, sin_cos };  ///< which half of the channels comes first

  Kind kind = Kind::positional;
  double scale = 1;       ///< multiplies every frequency
  bool endpoint = false;  ///< positional: frequencies 10000^(−i / (half − 1)), the last being 1/10000
  Order order = Order::cos_sin;

  /// Throws config_error for settings that cannot be, or have no effect, with so many channels.
  void check(Index channels) const {
    require_setting(channels >= 2 && channels <= max_channels && channels % 2 == 0, "TimeEmbedding",
                    "channels", static_cast<double>(channels), "an even number of 2 or more");
    require_setting(std::isfinite(scale) && scale != 0, "TimeEmbedding", "scale", scale,
                    "a finite number other than 0");
    require_setting(!endpoint || kind == Kind::positional, "TimeEmbedding", "endpoint", 1,
                    "false for the Fourier embedding, whose frequencies are draws");
    require_setting(!endpoint || channels >= 4, "TimeEmbedding", "channels with an endpoint",
                    static_cast<double>(channels), "4 or more: two frequencies");
  }

  /// Enters these settings among the conventions of a network's parameters; files that do not say have this
  /// kind and scale, cosines first and no endpoint.
  void declare(ParameterTable& table) const {
    table.add_convention({"time", text(), TimeEmbedding{.kind = kind, .scale = scale}.text()});
  }

  /// The settings as they are written in a program.
  std::string text() const {
    return "{.kind = " + std::string{kind == Kind::positional ? "positional" : "fourier"} +
           ", .scale = " + number_text(scale) + ", .endpoint = " + (endpoint ? "true" : "false") +
           ", .order = " + (order == Order::cos_sin ? "cos_sin" : "sin_cos") + "}";
  }

  /// time (n, 1, …) → (n, channels). Throws config_error as `check` does.
  auto operator()(Operand auto const& time, Index channels) const {
    check(channels);
    auto const& t = evaluated(time);  // (n, 1, …)
    return of_frequencies(t, frequencies<tensor_of_t<decltype(t)>>(channels / 2));
  }
  /// The same with frequencies of one's own (half), in turns per unit of time.
  auto operator()(Operand auto const& time, Value auto const& turns) const {
    return of_frequencies(evaluated(time), evaluated(2 * std::numbers::pi * turns));
  }

 private:
  /// (n, 1, …) and (half) → (n, 2 half)
  auto of_frequencies(Value auto const& t, Value auto const& frequency) const {
    auto const angle = evaluated(reshape(t, {t.shape()[0], 1}) * frequency);  // (n, half)
    return order == Order::cos_sin ? concat(cos(angle), sin(angle)) : concat(sin(angle), cos(angle));
  }

  template <class T>
  T frequencies(Index half) const {
    using S = typename T::Scalar;
    auto f = Tensor<S>{Shape{1, half}};  // (1, half)
    auto const steps = static_cast<double>(endpoint ? half - 1 : half);
    for (Index i = 0; i < half; ++i) {
      auto const at = static_cast<std::uint32_t>(i);
      f.mutable_data()[i] =
          static_cast<S>(scale * (kind == Kind::positional
                                      ? std::pow(10000.0, -static_cast<double>(i) / steps)
                                      : 2 * std::numbers::pi * normal_block<double>({}, {0, at}, 0)[0]));
    }
    return to<typename T::Backend>(f);  // (1, half)
  }
};

}  // namespace consistency
