// SPDX-License-Identifier: MIT
// What tests/gdb/session.cmake looks at in gdb.

#include <array>
#include <span>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/network/mlp.hpp>

using namespace consistency;

namespace {

void here(auto const&...) { asm volatile(""); }  // the debugger's breakpoint

}  // namespace

int main() {
  using X = Tensor<float>;
  auto const six = std::array{0.5F, -1.0F, 2.25F, 3.0F, 4.0F, 5.0F};
  auto const shape = Shape{2, 3};
  auto const tensor = X(shape, std::span<float const>{six});
  auto const undefined = X{};
  Tape<X> tape;
  auto const variable = tape.watch(tensor);
  auto const dual = Dual<X>{tensor};
  auto const net = Mlp{{.dimensions = 2, .width = 4, .layers = 1, .embedding = 2}};
  auto const theta = Parameters<X>{net.parameters()};
  here(shape, tensor, undefined, variable, dual, theta);
}
