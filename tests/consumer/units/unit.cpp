// SPDX-License-Identifier: MIT
// One of the two units of a program, `first` or `second` by -DUNIT; the first has main.
#include <cmath>
#include <cstdio>

#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/random.hpp>

namespace cm = consistency;

namespace {

using T = cm::Tensor<float>;

bool near(double found, double right, char const* what) {
  auto const fits = std::abs(found - right) <= 1e-5 * (1 + std::abs(right));
  if (!fits) std::printf("%s: found %g instead of %g\n", what, found, right);
  return fits;
}

/// Noise, a product and a chain that is this program's own, beside plain loops.
bool right() {
  auto const x = cm::normal<float>({64, 64}, cm::Key{1});
  auto const w = cm::normal<float>({64, 40}, cm::Key{2});
  T const y = cm::linear(x, w);
  T const z = x * x * x + 0.5 / (1.0 + cm::square(x));
  auto variance = 0.0;
  auto fits = true;
  for (cm::Index i = 0; i < x.count(); ++i) {
    auto const v = static_cast<double>(x[i]);
    variance += v * v / static_cast<double>(x.count());
    fits &= near(z[i], v * v * v + 0.5 / (1 + v * v), "chain");
  }
  for (cm::Index i = 0; i < y.count(); ++i) {
    auto sum = 0.0;
    for (cm::Index k = 0; k < 64; ++k)
      sum += static_cast<double>(x[i / 40 * 64 + k]) * static_cast<double>(w[k * 40 + i % 40]);
    fits &= near(y[i], sum, "product");
  }
  if (std::abs(variance - 1) > 0.05) std::printf("noise: found a variance of %g\n", variance);
  return fits && std::abs(variance - 1) <= 0.05;
}

}  // namespace

bool first();
bool second();
bool UNIT() { return right(); }

#ifdef MAIN
int main() { return first() && second() ? 0 : 1; }
#endif
