#pragma once

#include <string>

#include <consistency/network/parameters.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// k×k convolution with padding k/2 and a stride.
class Convolution {
 public:
  struct Settings {
    Index kernel = 3;
    Index stride = 1;
    double gain = 1;
  };

  Convolution(ParameterTable& table, std::string const& name, Index in, Index out)
      : Convolution(table, name, in, out, Settings{}) {}
  Convolution(ParameterTable& table, std::string const& name, Index in, Index out, Settings settings)
      : weight_{table.add(name + ".weight", {settings.kernel, settings.kernel, in, out},
                          Initializer::variance(settings.kernel * settings.kernel * in, settings.gain))},
        bias_{table.add(name + ".bias", {out}, Initializer::zeros())},
        stride_{settings.stride} {}

  auto operator()(auto const& theta, Operand auto const& x) const {
    return conv2d(x, theta[weight_], theta[bias_], stride_);
  }
  /// Each sample shifted by its own (n, 1, 1, o).
  auto shifted(auto const& theta, Operand auto const& x, Operand auto const& shift) const {
    return conv2d(x, theta[weight_], theta[bias_] + shift, stride_);
  }
  /// scale · (this + residual), for a stride of 1.
  auto added(auto const& theta, Operand auto const& x, Operand auto const& residual, double scale) const {
    return conv2d(x, theta[weight_], theta[bias_], residual, scale);
  }

 private:
  ParameterId weight_, bias_;
  Index stride_;
};

}  // namespace consistency
