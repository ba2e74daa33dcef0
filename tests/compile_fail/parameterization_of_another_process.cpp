// SHOULD_FAIL: the parameterization belongs to another noise process
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

#ifdef SHOULD_FAIL
using Process = cm::LinearPath;
#else
using Process = cm::VarianceExploding;
#endif
cm::ConsistencyFunction const f{cm::Mlp{}, cm::EdmPreconditioning{}, Process{}};
