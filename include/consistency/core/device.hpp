// SPDX-License-Identifier: MIT
#pragma once

/// Marks functions that a GPU runs too; nothing for other compilers than nvcc.
#ifdef __CUDACC__
#define CONSISTENCY_HD __host__ __device__
#else
#define CONSISTENCY_HD
#endif
