// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include <consistency/network/adm.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/network/network.hpp>
#include <consistency/network/song_unet.hpp>
#include <consistency/network/unet.hpp>

namespace consistency::c {

/// A network that is chosen when the program runs: each method is compiled once for all of them.
class AnyNetwork {
 public:
  template <class N>
  explicit AnyNetwork(N network) : network_{std::move(network)} {}

  ParameterTable const& parameters() const {
    return std::visit([](auto const& net) -> ParameterTable const& { return net.parameters(); }, network_);
  }
  Shape data_shape() const {
    return std::visit([](auto const& net) { return net.data_shape(); }, network_);
  }
  auto operator()(auto const& theta, Value auto const& x, auto const& at, Mode const& mode = {}) const {
    using Output = std::remove_cvref_t<decltype(evaluated(std::get<0>(network_)(theta, x, at, mode)))>;
    return std::visit([&](auto const& net) -> Output { return net(theta, x, at, mode); }, network_);
  }

 private:
  std::variant<Mlp, UNet, SongUNet, Adm> network_;
};
static_assert(Network<AnyNetwork>);

}  // namespace consistency::c
