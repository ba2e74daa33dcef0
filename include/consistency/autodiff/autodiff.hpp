// SPDX-License-Identifier: MIT
#pragma once

/// Differentiation: Variable (reverse mode), Dual (forward mode) and their nesting, with every rule.
#include <consistency/autodiff/forward.hpp>
#include <consistency/autodiff/recomputed.hpp>
#include <consistency/autodiff/reverse.hpp>
#include <consistency/autodiff/rules/layout.hpp>
#include <consistency/autodiff/rules/maximum.hpp>
#include <consistency/autodiff/rules/normalization.hpp>
#include <consistency/autodiff/rules/pointwise.hpp>
#include <consistency/autodiff/rules/product.hpp>
#include <consistency/tensor/cpu.hpp>
