// SPDX-License-Identifier: MIT
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include <consistency/core/memory.hpp>

namespace consistency {

/// What kernels make of numbers that do not change, such as weights in panels or transformed for Winograd's
/// convolution. Any thread may ask.
template <class T>
class PreparedForms {
 public:
  /// What make() gives for the numbers at `of`, or gave before; `form` tells the forms of one tensor apart.
  template <class Make>
  T get(typename T::Scalar const* of, int form, Make const& make) {
    {
      auto const lock = std::scoped_lock{mutex_};
      if (auto const* const known = find(of, form)) return known->value;
    }
    auto made = make();  // which may take several threads: nobody waits for them
    auto const lock = std::scoped_lock{mutex_};
    if (auto const* const known = find(of, form)) return known->value;
    forms_.push_back({of, form, made});
    return made;
  }

 private:
  struct Form {
    typename T::Scalar const* of;
    int form;
    T value;
  };

  Form const* find(typename T::Scalar const* of, int form) const noexcept {
    for (auto const& known : forms_)
      if (known.of == of && known.form == form) return &known;
    return nullptr;
  }

  std::mutex mutex_;
  std::vector<Form, PoolAllocator<Form>> forms_;
};

}  // namespace consistency
