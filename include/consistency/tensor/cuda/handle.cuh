// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <consistency/tensor/cuda/memory.cuh>

namespace consistency::cuda {

/// An object of one of NVIDIA's libraries that is destroyed with its owner.
template <class Handle, auto Destroy>
struct Owned {
  Handle handle = nullptr;
  Owned() = default;
  Owned(Owned&& other) noexcept : handle{std::exchange(other.handle, nullptr)} {}
  Owned& operator=(Owned&&) = delete;
  ~Owned() {
    if (handle) static_cast<void>(Destroy(handle));
  }
};

/// This thread's handle of a library on the current device, which is the one that it belongs to; made by
/// `create` when it is first asked for.
template <class Handle, auto Destroy, class Create>
Handle of_current_device(Create const& create) {
  thread_local std::vector<Owned<Handle, Destroy>> of_device;
  auto const device = static_cast<std::size_t>(current_device());
  if (of_device.size() <= device) of_device.resize(device + 1);
  auto& made = of_device[device];
  if (!made.handle) create(&made.handle);
  return made.handle;
}

}  // namespace consistency::cuda
