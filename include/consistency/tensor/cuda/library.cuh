// SPDX-License-Identifier: MIT
#pragma once

/// The definitions behind tensor/cuda/: for nvcc, or for a C++ compiler with Thrust's host system. Programs
/// that link consistency::cuda do not need it; a .cu with kernels of its own may include it instead.
#include <consistency/tensor/cuda.hpp>
#include <consistency/tensor/cuda/conv2d.cuh>
#include <consistency/tensor/cuda/gemm.cuh>
#include <consistency/tensor/cuda/graph.cuh>
#include <consistency/tensor/cuda/group_norm.cuh>
#include <consistency/tensor/cuda/layout.cuh>
#include <consistency/tensor/cuda/maximum.cuh>
#include <consistency/tensor/cuda/memory.cuh>
#include <consistency/tensor/cuda/moments.cuh>
#include <consistency/tensor/cuda/pointwise.cuh>
#include <consistency/tensor/cuda/random.cuh>
#include <consistency/tensor/cuda/reduce.cuh>
#include <consistency/tensor/cuda/stream.cuh>
