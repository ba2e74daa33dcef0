// SHOULD_FAIL: needs the network's derivative along x and t
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

struct Net {
  cm::ParameterTable table;
  cm::ParameterTable const& parameters() const { return table; }
  cm::Shape data_shape() const { return {2}; }
#ifdef SHOULD_FAIL
  cm::Tensor<float> operator()(auto const&, cm::Tensor<float> const& x, cm::Tensor<float> const&,
                               cm::Mode const& = {}) const {
    return 2.0 * x;
  }
#else
  auto operator()(auto const&, cm::Value auto const& x, cm::Operand auto const&, cm::Mode const& = {}) const {
    return cm::evaluated(2.0 * x);
  }
#endif
};

cm::ContinuousConsistencyTraining const method{.f = cm::ConsistencyFunction{Net{}}};
