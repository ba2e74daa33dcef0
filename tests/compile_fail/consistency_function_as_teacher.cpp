// SHOULD_FAIL: the teacher must be a Denoiser
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

#ifdef SHOULD_FAIL
cm::ConsistencyFunction const D{cm::Mlp{}};
#else
cm::Denoiser const D{cm::Mlp{}};
#endif
cm::TeacherVelocity const teacher{D, D.initialize(cm::Key{1})};
