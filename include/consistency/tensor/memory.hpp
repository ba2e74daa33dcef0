// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>

#include <consistency/core/memory.hpp>
#include <consistency/core/shape.hpp>

namespace consistency {

/// Backends name the place where numbers live and the kernels that work on them.
struct Cpu {};        ///< vectorised kernels on all cores, float and double
struct Reference {};  ///< plain loops for any scalar (complex too): the oracle of the other backends
struct Cuda {};       ///< a GPU, float and double: consistency/cuda.hpp

/// Where a backend's numbers live. `host`: whether the host may read and write them in place. wait(): until
/// what this thread has sent off is computed.
template <class B>
struct Memory;

struct HostMemory {
  static constexpr bool host = true;
  template <class S>
  static void fill(S* to, Index count, S value) {
    std::fill_n(to, count, value);
  }
  template <class S>
  static void copy(S* to, S const* from, Index count) {
    std::copy_n(from, count, to);
  }
  /// From the host's memory, and to it.
  template <class S>
  static void upload(S* to, S const* from, Index count) {
    std::copy_n(from, count, to);
  }
  template <class S>
  static void download(S* to, S const* from, Index count) {
    std::copy_n(from, count, to);
  }
  static void wait() noexcept {}  // kernels return when they are done
};

template <>
struct Memory<Cpu> : HostMemory {};
template <>
struct Memory<Reference> : HostMemory {};

template <class B>
concept OnHost = Memory<B>::host;

}  // namespace consistency
