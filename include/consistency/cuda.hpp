// SPDX-License-Identifier: MIT
#pragma once

/// The library with the CUDA backend: Tensor<float, Cuda> wherever a tensor type is asked for. Any C++20
/// compiler; link consistency::cuda.
#include <consistency/consistency.hpp>
#include <consistency/tensor/cuda.hpp>
