// SHOULD_FAIL: ConsistencyDistillation needs a teacher
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

cm::ConsistencyFunction const f{cm::Mlp{}};
cm::ConsistencyFunction const D{cm::Mlp{}, cm::EdmPreconditioning{}};

#ifdef SHOULD_FAIL
cm::ConsistencyDistillation const method{f, cm::DataVelocity{}};
#else
cm::ConsistencyDistillation const method{f, cm::TeacherVelocity{D, D.initialize(cm::Key{1})}};
#endif
