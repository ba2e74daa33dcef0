#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <nccl.h>

#include <consistency/distributed/ranks.hpp>
#include <consistency/distributed/unwinding.hpp>
#include <consistency/tensor/cuda/device.hpp>
#include <consistency/tensor/cuda/memory.hpp>

namespace consistency {

namespace detail {

/// Throws distributed_error unless an NCCL call succeeded.
inline void require_nccl(ncclResult_t result, char const* call) {
  if (result == ncclSuccess) return;
  throw distributed_error{
      {.where = call,
       .what = "NCCL",
       .found = std::string{ncclGetErrorString(result)} + " (" + ncclGetLastError(nullptr) + ")",
       .expected = "success",
       .advice = "Each rank needs a GPU of its own, chosen by cuda::set_device; NCCL_DEBUG=INFO says more. "
                 "Where a rank was lost, start all again from the last checkpoint."}};
}

/// Leaves a group of NCCL: together with the others, or at once where an exception flies and they may not
/// come.
struct LeaveNccl {
  Unwinding unwinding;
  void operator()(ncclComm_t group) const noexcept {
    static_cast<void>(unwinding.now() ? ncclCommAbort(group) : ncclCommDestroy(group));
  }
};

}  // namespace detail

/// Ranks with a GPU each. Tensors in the memory of the GPUs are added there by NCCL, and everything else goes
/// through `Host`, any communicator. NCCL chooses the order of addition: every rank gets the same bits, and
/// the same again where ranks, GPUs, what connects them, and NCCL's version and settings are the same.
template <Communicator Host>
class NcclCommunicator {
 public:
  /// The ranks of `host`, on the device of each rank's thread, where its tensors must be. All make it at
  /// once. On every rank throws device_error where one of them has no GPU, and distributed_error where NCCL
  /// refuses or versions of it differ.
  explicit NcclCommunicator(Host host) : ranks_{std::move(host)} {
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
      ncclComm_t group = nullptr;
      detail::require_nccl(ncclCommInitRank(&group, size(), id, rank()), "ncclCommInitRank");
      group_.reset(group);
    });
  }

  int rank() const noexcept { return ranks_.communicator().rank(); }
  int size() const noexcept { return ranks_.communicator().size(); }

  void sum(std::span<float> numbers) { ranks_.communicator().sum(numbers); }
  void sum(std::span<double> numbers) { ranks_.communicator().sum(numbers); }
  void gather(double mine, std::span<double> all) { ranks_.communicator().gather(mine, all); }
  void broadcast(std::span<std::byte> bytes, int from) { ranks_.communicator().broadcast(bytes, from); }

  /// numbers ← their sum over the ranks, which give equally many, in the order of this thread's stream.
  /// Throws distributed_error for what NCCL refuses, or has found since the last call.
  template <CompiledScalar S>
  void sum(Tensor<S, Cuda>& numbers) {
    auto earlier = ncclSuccess;
    detail::require_nccl(ncclCommGetAsyncError(group_.get(), &earlier), "ncclCommGetAsyncError");
    detail::require_nccl(earlier, "ncclAllReduce");
    auto* const data = numbers.mutable_data();
    detail::require_nccl(ncclAllReduce(data, data, static_cast<std::size_t>(numbers.count()),
                                       std::same_as<S, float> ? ncclFloat32 : ncclFloat64, ncclSum,
                                       group_.get(), cuda::Stream::current().handle()),
                         "ncclAllReduce");
  }

 private:
  static void require_gpu() {
    auto const why = cuda::on_host() ? "consistency::cuda is compiled for the host" : cuda::unavailable();
    if (!why.empty())
      throw device_error{{.where = "NcclCommunicator",
                          .what = "no GPU can be used",
                          .found = why,
                          .expected = "a GPU on every rank",
                          .advice = "Without, use the communicator that this one was made from."}};
  }

  Ranks<Host> ranks_;
  std::unique_ptr<ncclComm, detail::LeaveNccl> group_;
};

static_assert(Communicator<NcclCommunicator<SelfCommunicator>>);
static_assert(SumsInPlace<NcclCommunicator<SelfCommunicator>, Tensor<float, Cuda>>);

}  // namespace consistency
