// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <consistency/distributed/deadline.hpp>
#include <consistency/distributed/ranks.hpp>
#include <consistency/distributed/unwinding.hpp>
#include <consistency/tensor/cuda.hpp>

namespace consistency {

namespace detail {

/// Throws distributed_error unless an NCCL call succeeded.
inline void require_nccl(ncclResult_t result, char const* call) {
  if (result == ncclSuccess) return;
  fail<distributed_error>(
      call, "NCCL", std::string{ncclGetErrorString(result)} + " (" + ncclGetLastError(nullptr) + ")",
      "success",
      "Each rank needs a GPU of its own, chosen by cuda::set_device; NCCL_DEBUG=INFO says more. "
      "Where a rank was lost, start all again from the last checkpoint.");
}

/// The same for a call that may go on after it has returned.
inline void begin_nccl(ncclResult_t result, char const* call) {
  if (result != ncclInProgress) require_nccl(result, call);
}

/// Leaves a group of NCCL: together with the others, or at once while an exception unwinds the stack, when
/// they may not come.
struct LeaveNccl {
  Unwinding unwinding;
  void operator()(ncclComm_t group) const noexcept {
    static_cast<void>(unwinding.now() ? ncclCommAbort(group) : ncclCommDestroy(group));
  }
};

}  // namespace detail

/// Ranks with a GPU each. Tensors in the memory of the GPUs are added there by NCCL, and everything else goes
/// through `Host`, any communicator. NCCL chooses the order of addition: every rank gets the same bits, and
/// the same again where ranks, GPUs, what connects them, and NCCL's version and settings are the same. A sum
/// in which a rank does not take its part before the deadline throws distributed_error on every rank that
/// lives; no sum can be had from then on.
template <Communicator Host>
class NcclCommunicator {
 public:
  /// The ranks of `host`, on the device of each rank's thread, where its tensors must be. All make it at
  /// once. On every rank throws device_error where one of them has no GPU, and distributed_error where NCCL
  /// fails, versions of it differ, or a rank does not come. Throws config_error for an impossible deadline.
  explicit NcclCommunicator(Host host, Deadline deadline = {})
      : ranks_{std::move(host)}, deadline_{deadline} {
    deadline.check();
    int release = 0;
    ncclUniqueId id{};
    ranks_.together([&] {
      require_gpu();
      detail::require_nccl(ncclGetVersion(&release), "ncclGetVersion");
      if (rank() == 0) detail::require_nccl(ncclGetUniqueId(&id), "ncclGetUniqueId");
    });
    ranks_.require_same("version of NCCL", std::as_bytes(std::span{&release, 1}));
    broadcast(std::as_writable_bytes(std::span{&id, 1}), 0);
    ranks_.together([&] {
      ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
      config.blocking = 0;
      ncclComm_t group = nullptr;
      detail::begin_nccl(ncclCommInitRankConfig(&group, size(), id, rank(), &config),
                         "ncclCommInitRankConfig");
      group_.reset(group);
      wait("ncclCommInitRankConfig", [] { return cudaSuccess; });
    });
  }

  int rank() const noexcept { return ranks_.communicator().rank(); }
  int size() const noexcept { return ranks_.communicator().size(); }

  void sum(std::span<float> numbers) { ranks_.communicator().sum(numbers); }
  void sum(std::span<double> numbers) { ranks_.communicator().sum(numbers); }
  void gather(double mine, std::span<double> all) { ranks_.communicator().gather(mine, all); }
  void broadcast(std::span<std::byte> bytes, int from) { ranks_.communicator().broadcast(bytes, from); }

  /// numbers ← their sum over the ranks, which give equally many, when the work of this thread's stream is
  /// done. Throws distributed_error where NCCL fails or a rank is lost, and device_error for
  /// what fails in the stream.
  template <CompiledScalar S>
  void sum(Tensor<S, Cuda>& numbers) {
    if (!group_) lose("ncclAllReduce", "no answer from a rank, earlier");
    auto const stream = cuda::Stream::current().handle();
    auto* const data = numbers.mutable_data();
    detail::begin_nccl(
        ncclAllReduce(data, data, static_cast<std::size_t>(numbers.count()),
                      std::same_as<S, float> ? ncclFloat32 : ncclFloat64, ncclSum, group_.get(), stream),
        "ncclAllReduce");
    wait("ncclAllReduce", [&] { return cudaStreamQuery(stream); });
  }

 private:
  static void require_gpu() {
    auto const why = cuda::on_host() ? "consistency::cuda is compiled for the host" : cuda::unavailable();
    if (!why.empty())
      fail<device_error>("NcclCommunicator", "no GPU can be used", why, "a GPU on every rank",
                         "Without, use the communicator that this one was made from.");
  }

  /// Until NCCL has begun and query(), the state of its work on the GPU, is success. A group that is not
  /// whole, or late, is left at once.
  template <class Query>
  void wait(char const* call, Query const& query) {
    auto backoff = detail::Backoff{deadline_};
    for (;;) {
      auto state = ncclSuccess;
      detail::require_nccl(ncclCommGetAsyncError(group_.get(), &state), "ncclCommGetAsyncError");
      if (state != ncclSuccess && state != ncclInProgress) {
        leave();
        detail::require_nccl(state, call);
      }
      if (state == ncclSuccess) {
        auto const work = query();
        if (work == cudaSuccess) return;
        if (work != cudaErrorNotReady)
          fail<device_error>(call, "work on the GPU", cudaGetErrorString(work), "success");
      }
      if (!backoff.wait()) {
        leave();
        lose(call, "no answer from a rank for " + number_text(deadline_.seconds) + " s");
      }
    }
  }

  void leave() noexcept { static_cast<void>(ncclCommAbort(group_.release())); }

  [[noreturn]] void lose(char const* call, std::string found) const {
    fail<distributed_error>(
        "rank " + number_text(rank()) + " of " + number_text(size()) + ", " + call, "a rank was lost",
        std::move(found), "all ranks within " + number_text(deadline_.seconds) + " s",
        "Start all ranks again from the last checkpoint; where a rank works alone for longer, with "
        "a longer Deadline.");
  }

  Ranks<Host> ranks_;
  Deadline deadline_;
  std::unique_ptr<ncclComm, detail::LeaveNccl> group_;
};

static_assert(Communicator<NcclCommunicator<SelfCommunicator>>);
static_assert(SumsInPlace<NcclCommunicator<SelfCommunicator>, Tensor<float, Cuda>>);

}  // namespace consistency
