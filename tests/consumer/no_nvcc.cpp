// SPDX-License-Identifier: MIT
// The CUDA backend from a C++ compiler that knows nothing of CUDA.
#include <cmath>
#include <cstdio>

#include <consistency/cuda.hpp>

namespace cm = consistency;

int main() {
  if (auto const why = cm::cuda::unavailable(); !why.empty()) {
    std::printf("skipped: no device: %s\n", why.c_str());
    return 0;
  }
  using X = cm::Tensor<float, cm::Cuda>;
  cm::ConsistencyFunction const f{cm::Mlp{{.dimensions = 2, .width = 32}}};
  cm::Trainer trainer{cm::ConsistencyTraining{.f = f}, cm::RAdam{}, f.initialize<X>(cm::Key{1})};
  auto const report = trainer.step(cm::normal<X>({64, 2}, cm::Key{2}));
  auto const x = cm::to<cm::Cpu>(cm::sample(f, trainer.averaged(), cm::OneStep{}, {.count = 8}));
  return std::isfinite(report.loss) && std::isfinite(x[15]) ? 0 : 1;
}
