#pragma once

#include <concepts>
#include <string>

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// The coefficients of D(x, t) = c_skip(t) x + c_out(t) F(c_in(t) x, c_noise(t)). t is the noise level σ, as
/// a value or an element-wise chain. Models: EdmParameterization, EdmPreconditioning.
/// docs/concepts/parameterization.md
template <class P>
concept Parameterization = requires(P const& p, Tensor<float> const& t) {
  { evaluated(p.c_skip(t)) } -> std::convertible_to<Tensor<float>>;
  { evaluated(p.c_out(t)) } -> std::convertible_to<Tensor<float>>;
  { evaluated(p.c_in(t)) } -> std::convertible_to<Tensor<float>>;
  { evaluated(p.c_noise(t)) } -> std::convertible_to<Tensor<float>>;
  { p.smallest_time() } -> std::convertible_to<double>;
};

/// Preconditioning of a denoiser (Karras et al. 2022, Table 1, column "Ours").
struct EdmPreconditioning {
  double sigma_data = 0.5;

  auto c_skip(Operand auto const& t) const { return square_data() / (square(t) + square_data()); }
  auto c_out(Operand auto const& t) const { return sigma_data * t / sqrt(square(t) + square_data()); }
  auto c_in(Operand auto const& t) const { return 1.0 / sqrt(square(t) + square_data()); }
  auto c_noise(Operand auto const& t) const { return 0.25 * log(t); }
  double smallest_time() const { return 1e-6; }

 private:
  double square_data() const { return sigma_data * sigma_data; }
};

/// The same shifted so that f(x, ε) = x exactly (Song et al. 2023, Appendix C).
struct EdmParameterization {
  double sigma_data = 0.5;
  double epsilon = 0.002;  ///< the smallest time, ε

  auto c_skip(Operand auto const& t) const { return square_data() / (square(t - epsilon) + square_data()); }
  auto c_out(Operand auto const& t) const {
    return sigma_data * (t - epsilon) / sqrt(square(t) + square_data());
  }
  auto c_in(Operand auto const& t) const { return 1.0 / sqrt(square(t) + square_data()); }
  auto c_noise(Operand auto const& t) const { return 0.25 * log(t); }
  double smallest_time() const { return epsilon; }

 private:
  double square_data() const { return sigma_data * sigma_data; }
};

}  // namespace consistency
