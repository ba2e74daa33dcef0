// SPDX-License-Identifier: MIT
#pragma once

#include <exception>

namespace consistency::detail {

/// Whether an object is being destroyed because an exception flies.
class Unwinding {
 public:
  bool now() const noexcept { return std::uncaught_exceptions() > before_; }

 private:
  int before_ = std::uncaught_exceptions();
};

}  // namespace consistency::detail
