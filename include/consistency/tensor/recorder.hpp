// SPDX-License-Identifier: MIT
#pragma once

namespace consistency {

/// Runs the same work again and again. A backend that can record it sends the recording from the second run
/// on; others do the work anew.
template <class Backend>
struct Recorder {
  void run(auto const& work) const { work(); }
  void reset() const noexcept {}
  /// Whether this thread's work is being recorded, and so must not read numbers on the host.
  static constexpr bool recording() noexcept { return false; }
};

}  // namespace consistency
