// SPDX-License-Identifier: MIT
#pragma once

#include <exception>

namespace consistency::detail {

/// Whether an object is being destroyed while an exception unwinds the stack.
class Unwinding {
 public:
  bool now() const noexcept { return std::uncaught_exceptions() > before_; }

 private:
  int before_ = std::uncaught_exceptions();
};

}  // namespace consistency::detail
