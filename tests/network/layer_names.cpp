// SPDX-License-Identifier: MIT
#include <algorithm>
#include <limits>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/network/layer_names.hpp>
#include <consistency/network/unet.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/stop_at_non_finite.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float>;

UNet small() {
  return UNet{
      {.channels = 8, .blocks = 1, .attention = {4}, .groups = 4, .embedding = 16, .image = {8, 8, 1}}};
}
auto const image = normal<float>({2, 8, 8, 1}, {2});
auto const time_of_image = X(Shape{2, 1, 1, 1}, 0.5F);

}  // namespace

TEST_CASE(
    "a trace of a network names every layer, forward and backward, and tells two sets of parameters apart") {
  auto const net = small();
  auto const theta = Parameters<X>::initialized(net.parameters(), {1});
  auto const minus = Parameters<X>::initialized(net.parameters(), {2});
  auto const gradient = Parameters<X>{net.parameters()};
  std::set<std::string> every, forward, backward, target;
  for (auto const& entry : net.parameters().entries()) every.emplace(layer_of(entry.name));
  TraceScope const trace{[&](TraceEvent const& e) {
                           auto const layer = std::string{e.layer};
                           if (layer.empty() || layer.starts_with("after ")) return;
                           if (layer.starts_with("minus."))
                             target.insert(layer.substr(6));
                           else
                             (e.pass == Pass::forward ? forward : backward).insert(layer);
                         },
                         layer_names(theta), layer_names(minus, "minus.")};
  Tape<X> tape;
  Parameters<Variable<X>> watched;
  watched.watch(tape, theta, gradient);
  Variable<X> const y = net(watched, image, time_of_image);
  tape.backward(y);
  net(minus, image, time_of_image);
  CHECK(forward == every);
  CHECK(target == every);
  CHECK(backward == every);
}

TEST_CASE("a layer whose parameter is not finite is named where it is used") {
  auto const net = small();
  auto theta = Parameters<X>::initialized(net.parameters(), {1});
  theta.assign("down0.0.conv0.bias", X(Shape{8}, std::numeric_limits<float>::quiet_NaN()));
  TraceScope const trace{StopAtNonFinite{}, layer_names(theta)};
  check_fails<ErrorCode::numeric>([&] { net(theta, image, time_of_image); },
                                  {"Conv2d [down0.0.conv0]", "shape (2, 8, 8, 8) at (0, 0, 0, 0): found nan",
                                   "Operand 3 of shape (8) has nan at (0)"});
}
