// SPDX-License-Identifier: MIT
#pragma once

/// The CUDA backend: every kernel, for any C++ compiler; link consistency::cuda.
#include <consistency/tensor/attention.hpp>
#include <consistency/tensor/cuda/attention_products.hpp>
#include <consistency/tensor/cuda/conv2d.hpp>
#include <consistency/tensor/cuda/device.hpp>
#include <consistency/tensor/cuda/graph.hpp>
#include <consistency/tensor/cuda/group_norm.hpp>
#include <consistency/tensor/cuda/layout.hpp>
#include <consistency/tensor/cuda/linear.hpp>
#include <consistency/tensor/cuda/maximum.hpp>
#include <consistency/tensor/cuda/moments.hpp>
#include <consistency/tensor/cuda/pointwise.hpp>
#include <consistency/tensor/cuda/random.hpp>
#include <consistency/tensor/cuda/reduce.hpp>
#include <consistency/tensor/functions.hpp>
