// SPDX-License-Identifier: MIT
#pragma once

/// Tools to look inside: include this header beside consistency.hpp or cuda.hpp while you search for an
/// error or for time. docs/debugging.md
#include <consistency/autodiff/text.hpp>
#include <consistency/network/layer_names.hpp>
#include <consistency/tensor/profile.hpp>
#include <consistency/tensor/stop_at_non_finite.hpp>
