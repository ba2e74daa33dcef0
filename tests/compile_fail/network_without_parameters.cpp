// SHOULD_FAIL: the network needs parameters
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

struct Net {
  cm::ParameterTable table;
#ifndef SHOULD_FAIL
  cm::ParameterTable const& parameters() const { return table; }
#endif
  cm::Shape data_shape() const { return {2}; }
  auto operator()(auto const&, cm::Value auto const& x, cm::Operand auto const&, cm::Mode const& = {}) const {
    return cm::evaluated(2.0 * x);
  }
};

cm::ConsistencyFunction<Net> const f{Net{}};
