// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <thread>

#include <mpi.h>

#include <consistency/core/error.hpp>
#include <consistency/distributed/unwinding.hpp>

namespace consistency {

namespace detail {

/// Whether a rank was lost: no handshake with the others can be waited for any more.
inline bool mpi_lost = false;

/// The rank on whose account this one leaves, where messages on their way find it.
inline int mpi_blamed = 0;

/// MPI's own words for a code.
inline std::string mpi_text(int code) {
  std::array<char, MPI_MAX_ERROR_STRING + 1> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  return {text.data(), static_cast<std::size_t>(length)};
}

/// Throws distributed_error unless an MPI call succeeded.
inline void require_mpi(int code, char const* call) {
  if (code == MPI_SUCCESS) return;
  fail<distributed_error>(call, "MPI", mpi_text(code), "success",
                          "A rank or the network between them was lost: start all ranks again "
                          "from the last checkpoint.");
}

}  // namespace detail

/// MPI from the start of a program to its end: the first object of main(). A program that an exception ends,
/// or that has lost a rank, leaves without the last handshake, which might never end, and so fails for the
/// launcher, which ends the others. It leaves a second after main(), so that they learn of it before, from
/// their own communicators.
class MpiEnvironment {
 public:
  /// Throws distributed_error where MPI cannot live with threads.
  MpiEnvironment() {
    int given = 0;
    detail::require_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given), "MPI_Init_thread");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (given < MPI_THREAD_FUNNELED)
      fail<distributed_error>("MPI_Init_thread", "thread level", number_text(given),
                              number_text(MPI_THREAD_FUNNELED) + " (MPI_THREAD_FUNNELED) or more",
                              "Use an MPI that was built with threads.");
  }
  MpiEnvironment(MpiEnvironment const&) = delete;
  MpiEnvironment& operator=(MpiEnvironment const&) = delete;
  ~MpiEnvironment() {
    if (unwinding_.now() || detail::mpi_lost)
      std::atexit(linger);
    else
      MPI_Finalize();
  }

 private:
  static void linger() { std::this_thread::sleep_for(std::chrono::seconds{1}); }

  detail::Unwinding unwinding_;
};

}  // namespace consistency
