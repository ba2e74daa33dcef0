// SPDX-License-Identifier: MIT
// Denoisers, sampled with one, two and 35 evaluations.
#include "slice.hpp"

namespace {

using namespace policies;

Registered const registered{
    Slice{.name = "denoiser",
          .methods = axis(Named{"edm", Denoising{}}, Named{"flow", Flow{}}, Named{"pd", Progressive{}}),
          .processes = axes::processes(),
          .metrics = axes::metrics()}};

}  // namespace
