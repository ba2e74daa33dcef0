// SPDX-License-Identifier: MIT
#pragma once

/// The reference backend: every kernel as plain loops, for any scalar. The oracle of the other backends.
#include <consistency/tensor/attention.hpp>
#include <consistency/tensor/functions.hpp>
#include <consistency/tensor/reference/attention_products.hpp>
#include <consistency/tensor/reference/conv2d.hpp>
#include <consistency/tensor/reference/group_norm.hpp>
#include <consistency/tensor/reference/layout.hpp>
#include <consistency/tensor/reference/linear.hpp>
#include <consistency/tensor/reference/maximum.hpp>
#include <consistency/tensor/reference/pointwise.hpp>
#include <consistency/tensor/reference/reduce.hpp>
#include <consistency/tensor/reference/resize.hpp>
