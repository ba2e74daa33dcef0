#pragma once

#include <array>
#include <cstddef>
#include <string>

#include <mpi.h>

#include <consistency/core/error.hpp>
#include <consistency/distributed/unwinding.hpp>

namespace consistency {

namespace detail {

/// Throws distributed_error unless an MPI call succeeded.
inline void require_mpi(int code, char const* call) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING + 1> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw distributed_error{{.where = call,
                           .what = "MPI",
                           .found = std::string{text.data(), static_cast<std::size_t>(length)},
                           .expected = "success",
                           .advice = "A rank or the network between them was lost: start all ranks again "
                                     "from the last checkpoint."}};
}

}  // namespace detail

/// MPI from the start of a program to its end: the first object of main(). A program that an exception ends
/// leaves without the last handshake, which the other ranks would wait for; the launcher then ends them.
class MpiEnvironment {
 public:
  /// Throws distributed_error where MPI cannot live with threads.
  MpiEnvironment() {
    int given = 0;
    detail::require_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given), "MPI_Init_thread");
    if (given < MPI_THREAD_FUNNELED)
      throw distributed_error{
          {.where = "MPI_Init_thread",
           .what = "thread level",
           .found = number_text(given),
           .expected = number_text(MPI_THREAD_FUNNELED) + " (MPI_THREAD_FUNNELED) or more",
           .advice = "Use an MPI that was built with threads."}};
  }
  MpiEnvironment(MpiEnvironment const&) = delete;
  MpiEnvironment& operator=(MpiEnvironment const&) = delete;
  ~MpiEnvironment() {
    if (!unwinding_.now()) MPI_Finalize();
  }

 private:
  detail::Unwinding unwinding_;
};

}  // namespace consistency
