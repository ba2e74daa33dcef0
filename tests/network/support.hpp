// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include <consistency/network/inception_blocks.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/tensor/cpu.hpp>

namespace consistency::test {

/// Initial draws, the statistics of the normalisations moved off 0 and 1.
inline Parameters<Tensor<double>> some_parameters(ParameterTable const& table) {
  auto theta = Parameters<Tensor<double>>::initialized(table, {1});
  for (auto const& entry : table.entries())
    for (Index i = 0; i < entry.shape.count(); ++i)
      if (entry.shape.rank() == 1)
        theta.flat().mutable_data()[entry.offset + i] += 0.1 * std::sin(static_cast<double>(i + 1));
  return theta;
}

/// A block of Inception with every kind of branch that keeps the size.
inline InceptionBlock mixed_block(ParameterTable& table) {
  return InceptionBlock{table,
                        "block",
                        3,
                        {{.chain = {{"a", 2}}},
                         {.chain = {{"b1", 2}, {"b2", 3, {.height = 7}}},
                          .fork = {{"c1", 2, {.width = 3}}, {"c2", 2, {.height = 3}}}},
                         {.pooling = InceptionPooling::average, .chain = {{"d", 2}}},
                         {.pooling = InceptionPooling::maximum, .chain = {}}}};
}

}  // namespace consistency::test
