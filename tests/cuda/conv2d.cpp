// SPDX-License-Identifier: MIT
#include <array>

#include <consistency/cuda.hpp>

#include "../support/rounding.hpp"
#include "../tensor/support.hpp"
#include "device.hpp"

using namespace consistency;
using namespace consistency::test;

/// As well where consistency::cuda was compiled without cuDNN.
#define NEEDS_CUDNN()                                                            \
  NEEDS_DEVICE();                                                                \
  if (cuda::convolution_path() != cuda::ConvolutionPath::cudnn) {                \
    MESSAGE("skipped: no device: consistency::cuda was compiled without cuDNN"); \
    return;                                                                      \
  }

namespace {

using X = Tensor<float, Cuda>;
using Conv = Kernel<op::Conv2d, Cuda>;

/// Convolutions on another path, as long as it lives.
class PathScope {
 public:
  explicit PathScope(cuda::ConvolutionPath path) : before_{cuda::convolution_path()} {
    cuda::set_convolution_path(path);
  }
  PathScope(PathScope const&) = delete;
  PathScope& operator=(PathScope const&) = delete;
  ~PathScope() { cuda::set_convolution_path(before_); }

 private:
  cuda::ConvolutionPath before_;
};

auto const cases = std::array{make_case(op::Conv2d{}, Shape{4, 16, 16, 32}, Shape{3, 3, 32, 64}),
                              make_case(op::Conv2d{}, Shape{3, 9, 7, 3}, Shape{3, 3, 3, 16}),
                              make_case(op::Conv2d{}, Shape{2, 7, 9, 16}, Shape{5, 5, 16, 3}),
                              make_case(op::Conv2d{}, Shape{4, 1, 16, 32}, Shape{1, 5, 32, 64}),
                              make_case(op::Conv2d{.stride = 2}, Shape{4, 1, 16, 32}, Shape{1, 3, 32, 32}),
                              make_case(op::Conv2d{.stride = 2}, Shape{4, 16, 16, 32}, Shape{3, 3, 32, 64}),
                              make_case(op::Conv2d{.stride = 2}, Shape{2, 9, 7, 16}, Shape{1, 1, 16, 24})};

/// x ∗ w, x ∗ w + b, and the gradients of <y, g> by x and w.
std::array<X, 4> computed(Case<op::Conv2d, 2> const& c) {
  auto const [x, w] = operands<float, Cuda>(c);
  auto const b = random<float, Cuda>({c.shapes[1][3]}, 2);
  auto const g = random<float, Cuda>(c.op.result(x.shape(), w.shape()), 3);
  auto const [dx, dw] = Conv::vjp(c.op, {true, true}, {}, g, x, w);
  return {Conv::value(c.op, x, w), Conv::value(c.op, x, w, b), dx, dw};
}

}  // namespace

TEST_CASE("the path of convolutions can be chosen, and one that was not compiled is rejected") {
  auto const first = cuda::convolution_path();
  {
    PathScope const scope{cuda::ConvolutionPath::patches};
    CHECK(cuda::convolution_path() == cuda::ConvolutionPath::patches);
  }
  CHECK(cuda::convolution_path() == first);
  if (first != cuda::ConvolutionPath::cudnn) {
    CHECK_THROWS_WITH_AS(cuda::set_convolution_path(cuda::ConvolutionPath::cudnn),
                         doctest::Contains("compiled without cuDNN"), config_error);
  }
}

TEST_CASE("cuDNN's convolutions and their gradients agree with those from patches") {
  NEEDS_CUDNN();
  for (auto const& c : cases) {
    CAPTURE(c.text());
    for (auto const precision :
         {cuda::Precision::float32, cuda::Precision::tf32, cuda::Precision::bfloat16}) {
      PrecisionScope const scope{precision};
      auto const found = computed(c);
      PathScope const patches{cuda::ConvolutionPath::patches};
      auto const expected = computed(c);
      auto const tolerance = precision == cuda::Precision::tf32 ? 1e-3 : 4e-6;
      for (std::size_t k = 0; k < found.size(); ++k) {
        CAPTURE(k);
        CHECK(relative_error(found[k], convert<double, Cpu>(expected[k])) <= tolerance);
      }
    }
  }
}

TEST_CASE("twenty repeats of cuDNN's convolutions and their gradients give the same bits") {
  NEEDS_CUDNN();
  for (auto const& c : cases) {
    CAPTURE(c.text());
    for (auto const precision : {cuda::Precision::float32, cuda::Precision::tf32}) {
      PrecisionScope const scope{precision};
      auto const first = computed(c);
      for (int repeat = 0; repeat < 20; ++repeat) {
        auto const again = computed(c);
        for (std::size_t k = 0; k < first.size(); ++k) CHECK(same_bits(again[k], first[k]));
      }
    }
  }
}

TEST_CASE("images that are empty or begin anywhere, and float64, need no cuDNN") {
  NEEDS_DEVICE();
  auto const arena = random<float, Cuda>(Shape{4000}, 1);
  auto const weight = random<float, Cuda>(Shape{3, 3, 8, 4}, 2);
  auto const image = arena.view(3, {2, 6, 6, 8});
  auto const allowed = rounding_error<float>(op::Conv2d{}, std::array{image.shape(), weight.shape()});
  CHECK(relative_error(Conv::value({}, image, weight),
                       convert<double, Cpu>(Conv::value({}, image.clone(), weight))) <= 2 * allowed);
  CHECK(Conv::value({}, X{Shape{0, 6, 6, 8}}, weight).shape() == Shape{0, 6, 6, 4});
  auto const exact = Conv::value({}, convert<double, Cuda>(image), convert<double, Cuda>(weight));
  CHECK(relative_error(Conv::value({}, image, weight), convert<double, Cpu>(exact)) <= allowed);
}
