// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <cudnn.h>

#include <consistency/tensor/cuda/handle.cuh>

namespace consistency::cuda {

inline void check(cudnnStatus_t status, char const* where) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  std::array<char, 512> why{};
  cudnnGetLastErrorString(why.data(), why.size());
  fail<device_error>(where, "cuDNN call", std::string{cudnnGetErrorString(status)} + ": " + why.data(),
                     "success", "cuda::set_convolution_path(cuda::ConvolutionPath::patches) does without.");
}

/// cuDNN for work on the current stream.
inline cudnnHandle_t cudnn_handle() {
  auto* const handle = of_current_device<cudnnHandle_t, cudnnDestroy>(
      [](cudnnHandle_t* made) { check(cudnnCreate(made), "cudnnCreate"); });
  check(cudnnSetStream(handle, current_stream()), "cudnnSetStream");
  return handle;
}

/// A descriptor of cuDNN's graph interface: its attributes are set, then it is finished, and only then used.
class CudnnDescriptor {
 public:
  using Name = cudnnBackendAttributeName_t;

  explicit CudnnDescriptor(cudnnBackendDescriptorType_t type) {
    check(cudnnBackendCreateDescriptor(type, &owned_.handle), "cudnnBackendCreateDescriptor");
  }
  cudnnBackendDescriptor_t handle() const { return owned_.handle; }

  template <class T>
  CudnnDescriptor& set(Name name, cudnnBackendAttributeType_t type, std::vector<T> const& values) {
    check(cudnnBackendSetAttribute(handle(), name, type, std::ssize(values), values.data()),
          "cudnnBackendSetAttribute");
    return *this;
  }
  template <class T>
  CudnnDescriptor& set(Name name, cudnnBackendAttributeType_t type, T const& value) {
    check(cudnnBackendSetAttribute(handle(), name, type, 1, &value), "cudnnBackendSetAttribute");
    return *this;
  }
  CudnnDescriptor& set(Name name, CudnnDescriptor const& part) {
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, part.handle());
  }

  /// Whether cuDNN can do what it describes.
  bool try_finish() { return cudnnBackendFinalize(handle()) == CUDNN_STATUS_SUCCESS; }
  CudnnDescriptor& finish() {
    check(cudnnBackendFinalize(handle()), "cudnnBackendFinalize");
    return *this;
  }

  template <class T>
  std::vector<T> get(Name name, cudnnBackendAttributeType_t type) const {
    std::vector<T> values(count(name, type));
    read(name, type, values);
    return values;
  }
  std::vector<CudnnDescriptor> parts(Name name, cudnnBackendDescriptorType_t type) const {
    std::vector<CudnnDescriptor> found;
    std::vector<cudnnBackendDescriptor_t> handles;  // of descriptors that are filled in
    for (auto i = count(name, CUDNN_TYPE_BACKEND_DESCRIPTOR); i > 0; --i)
      handles.push_back(found.emplace_back(type).handle());
    read(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, handles);
    return found;
  }

 private:
  std::size_t count(Name name, cudnnBackendAttributeType_t type) const {
    std::int64_t found = 0;
    check(cudnnBackendGetAttribute(handle(), name, type, 0, &found, nullptr), "cudnnBackendGetAttribute");
    return static_cast<std::size_t>(found);
  }
  template <class T>
  void read(Name name, cudnnBackendAttributeType_t type, std::vector<T>& values) const {
    std::int64_t found = 0;
    check(cudnnBackendGetAttribute(handle(), name, type, std::ssize(values), &found, values.data()),
          "cudnnBackendGetAttribute");
  }

  Owned<cudnnBackendDescriptor_t, cudnnBackendDestroyDescriptor> owned_;
};

}  // namespace consistency::cuda
