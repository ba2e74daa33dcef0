// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include <consistency/io/safetensors_read.hpp>
#include <consistency/io/torch_parameters.hpp>
#include <consistency/network/resnet20.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// Bytes (n, 3, h, w) as images (n, h, w, 3) of range [−1, 1].
Tensor<float> images(TensorEntry const& entry) {
  auto const bytes = copy_as<std::uint8_t>(entry);
  auto const extent = [&](std::size_t axis) { return static_cast<Index>(entry.shape[axis]); };
  auto const pixels = extent(2) * extent(3);
  auto x = Tensor<float>{Shape{extent(0), extent(2), extent(3), extent(1)}};
  for (Index n = 0; n < extent(0); ++n)
    for (Index c = 0; c < extent(1); ++c)
      for (Index p = 0; p < pixels; ++p)
        x.mutable_data()[(n * pixels + p) * extent(1) + c] =
            static_cast<float>(bytes[static_cast<std::size_t>((n * extent(1) + c) * pixels + p)]) / 127.5F -
            1;
  return x;
}

Tensor<float> numbers(TensorEntry const& entry) {
  auto const values = copy_as<float>(entry);
  return {Shape{static_cast<Index>(entry.shape[0]), static_cast<Index>(entry.shape[1])}, values};
}

}  // namespace

TEST_CASE("a trained ResNet-20 has PyTorch's features and logits") {
  auto const* const weights = std::getenv("CONSISTENCY_RESNET20");
  auto const* const golden = std::getenv("CONSISTENCY_RESNET20_GOLDEN");
  if (weights == nullptr || golden == nullptr) {
    MESSAGE("skipped: CONSISTENCY_RESNET20 and CONSISTENCY_RESNET20_GOLDEN name no files");
    return;
  }
  auto const net = ResNet20{};
  auto const theta = read_torch_parameters(weights, net.parameters());
  auto const file = read_safetensors(golden);
  REQUIRE(file.find("input_u8") != nullptr);
  auto const x = images(*file.find("input_u8"));
  auto const check = [&](Tensor<float> const& ours, char const* name) {
    auto const theirs = numbers(*file.find(name));
    auto const error = distance(ours, theirs);
    MESSAGE(std::string{name} << ": largest difference " << error << " at numbers up to "
                              << magnitude(theirs));
    CHECK(error <= 1e-5 * magnitude(theirs));
  };
  check(net.pooled(theta, x), "feat");
  check(net.logits(theta, x), "logits");
}
