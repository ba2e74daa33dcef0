#pragma once

#include <cmath>
#include <numbers>

#include <consistency/core/check.hpp>
#include <consistency/core/random.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// Features of a time: cos and sin of its product with fixed frequencies, (n, 1, …) → (n, channels).
struct TimeEmbedding {
  enum class Kind {
    positional,  ///< frequencies 10000^(−i / half) (Vaswani et al. 2017)
    fourier      ///< 2π · N(0, 1) draws (Tancik et al. 2020), the same for every seed
  };
  Kind kind = Kind::positional;
  double scale = 1;  ///< multiplies every frequency

  /// Throws config_error unless channels is even and positive.
  auto operator()(Operand auto const& time, Index channels) const {
    require_setting(channels >= 2 && channels % 2 == 0, "TimeEmbedding", "channels",
                    static_cast<double>(channels), "an even number of 2 or more");
    auto const& t = evaluated(time);
    using T = tensor_of_t<decltype(t)>;
    auto const angle = evaluated(reshape(t, {t.shape()[0], 1}) * frequencies<T>(channels / 2));
    return concat(cos(angle), sin(angle));
  }

 private:
  template <class T>
  T frequencies(Index half) const {
    using S = typename T::Scalar;
    auto f = Tensor<S>{Shape{1, half}};
    for (Index i = 0; i < half; ++i) {
      auto const at = static_cast<std::uint32_t>(i);
      f.mutable_data()[i] =
          static_cast<S>(scale * (kind == Kind::positional
                                      ? std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(half))
                                      : 2 * std::numbers::pi * normal_block<double>({}, {0, at}, 0)[0]));
    }
    return to<typename T::Backend>(f);
  }
};

}  // namespace consistency
