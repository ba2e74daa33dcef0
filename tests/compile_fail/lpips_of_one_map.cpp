// SHOULD_FAIL: Lpips compares feature maps
// SPDX-License-Identifier: MIT
#include <array>

#include <consistency/metric/lpips.hpp>
#include <consistency/tensor/cpu.hpp>

using namespace consistency;

/// Brightness of an image, which is no list of maps.
struct Brightness {
  auto operator()(Operand auto const& x) const {
#ifdef SHOULD_FAIL
    return mean_per_sample(x);
#else
    return std::array{mean_per_sample(x)};
#endif
  }
};

int main() {
  auto const metric = Lpips<Brightness>{{}, {Tensor<float>(Shape{1}, 1.0F)}};
  auto const x = Tensor<float>(Shape{2, 4, 4, 3}, 0.5F);
  return metric(x, x)[0] == 0 ? 0 : 1;
}
