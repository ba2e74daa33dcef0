// SPDX-License-Identifier: MIT
#pragma once

// A number that is not finite stops a training step before anything changes. Compilers that are told that
// there are no such numbers take the tests for them away, and comparisons that NaN fails as well.
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error \
    "consistency: -ffast-math (-Ofast, -ffinite-math-only) takes away every test for numbers that are not \
finite. Add -fno-finite-math-only behind it, which keeps the rest of -ffast-math."
#endif
