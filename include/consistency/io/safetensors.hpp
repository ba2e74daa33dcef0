// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/io/safetensors_read.hpp>
#include <consistency/io/safetensors_write.hpp>
