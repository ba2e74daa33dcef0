// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <doctest/doctest.h>

#include <consistency/tensor/cuda/device.hpp>

/// Ends a test case with a word where there is no GPU; ctest takes the word and counts it as skipped.
#define NEEDS_DEVICE()                                                   \
  if (auto const why = consistency::cuda::unavailable(); !why.empty()) { \
    MESSAGE("skipped: no device: " << why);                              \
    return;                                                              \
  }
/// As well where consistency::cuda was compiled for the host.
#define NEEDS_GPU()                                                            \
  NEEDS_DEVICE();                                                              \
  if (consistency::cuda::on_host()) {                                          \
    MESSAGE("skipped: no device: consistency::cuda is compiled for the host"); \
    return;                                                                    \
  }

namespace consistency::test {

/// Products in another precision, as long as it lives.
class PrecisionScope {
 public:
  explicit PrecisionScope(cuda::Precision precision) { cuda::set_precision(precision); }
  PrecisionScope(PrecisionScope const&) = delete;
  PrecisionScope& operator=(PrecisionScope const&) = delete;
  ~PrecisionScope() { cuda::set_precision(cuda::Precision::float32); }
};

}  // namespace consistency::test
