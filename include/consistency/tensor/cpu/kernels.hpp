// SPDX-License-Identifier: MIT
#pragma once

/// Every kernel of the CPU backend.
#include <consistency/tensor/cpu/accumulate.hpp>
#include <consistency/tensor/cpu/attention.hpp>
#include <consistency/tensor/cpu/conv2d.hpp>
#include <consistency/tensor/cpu/group_norm.hpp>
#include <consistency/tensor/cpu/largest.hpp>
#include <consistency/tensor/cpu/layout.hpp>
#include <consistency/tensor/cpu/linear.hpp>
#include <consistency/tensor/cpu/maximum.hpp>
#include <consistency/tensor/cpu/moments.hpp>
#include <consistency/tensor/cpu/pointwise.hpp>
#include <consistency/tensor/cpu/random.hpp>
#include <consistency/tensor/cpu/reduce.hpp>
#include <consistency/tensor/cpu/resize.hpp>
