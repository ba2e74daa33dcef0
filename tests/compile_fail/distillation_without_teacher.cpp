// SHOULD_FAIL: ConsistencyDistillation needs a teacher
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

cm::ConsistencyFunction const f{cm::Mlp{}};
cm::Denoiser const D{cm::Mlp{}};

#ifdef SHOULD_FAIL
cm::ConsistencyDistillation const method{.f = f, .velocity = cm::DataVelocity{}};
#else
cm::ConsistencyDistillation const method{.f = f,
                                         .velocity = cm::TeacherVelocity{D, D.initialize(cm::Key{1})}};
#endif
