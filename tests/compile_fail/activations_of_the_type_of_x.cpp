// SHOULD_FAIL: where theta is on a tape
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

struct Net {
  cm::ParameterTable table;
  cm::Linear in{table, "in", 3, 8}, out{table, "out", 8, 2};
  cm::ParameterTable const& parameters() const { return table; }
  cm::Shape data_shape() const { return {2}; }
  auto operator()(auto const& theta, cm::Value auto const& x, cm::Operand auto const& time,
                  cm::Mode const& = {}) const {
#ifdef SHOULD_FAIL
    std::remove_cvref_t<decltype(x)> const h = silu(in(theta, concat(x, time)));
#else
    auto const h = cm::evaluated(silu(in(theta, concat(x, time))));
#endif
    return out(theta, h);
  }
};

using X = cm::Tensor<float>;
auto activations(Net const& net, cm::Parameters<cm::Variable<X>> const& theta, X const& x, X const& t) {
  return net(theta, x, t);
}
