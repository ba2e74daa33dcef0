// SPDX-License-Identifier: MIT
#include <limits>
#include <string>
#include <vector>

#include <consistency/cuda.hpp>
#include <consistency/inspect.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"
#include "device.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float, Cuda>;
using Titles = std::vector<std::string>;

}  // namespace

TEST_CASE("a trace sees operations on a device, and the number in them that is not finite") {
  NEEDS_DEVICE();
  auto const x = X(Shape{2, 3}, -1.0F);
  Titles seen;
  {
    TraceScope const trace{[&](TraceEvent const& e) { seen.push_back(e.title()); }};
    softmax(silu(x) + x);
  }
  CHECK(seen == Titles{"silu(a) + b", "Softmax"});
  TraceScope const trace{StopAtNonFinite{}, std::vector<LayerNumbers>{{x.data(), 24, "in"}}};
  check_fails<ErrorCode::numeric>([&] { X const y = log(x); },
                                  {"log(a) [in]", "shape (2, 3) at (0, 0): found", "this operation made it"});
}

TEST_CASE("where operations are traced, recorded work is done and seen each time") {
  NEEDS_DEVICE();
  cuda::Graph graph;
  auto y = X(Shape{3}, 0.0F);
  auto const x = X(Shape{3}, 2.0F);
  auto const work = [&] { y.assign(evaluated(y + x)); };
  graph.run(work);
  int seen = 0;
  {
    TraceScope const trace{[&](TraceEvent const&) { ++seen; }};
    for (int i = 0; i < 3; ++i) graph.run(work);
  }
  CHECK(seen == 3);
  auto const before = to<Cpu>(y)[0];
  graph.run(work);
  CHECK(to<Cpu>(y)[0] == before + 2);
}

TEST_CASE("the text of a tensor on a device has its numbers") {
  NEEDS_DEVICE();
  CHECK(text(X(Shape{2}, 0.5F)) == "Tensor<float, Cuda> (2)\n[0.5 0.5]");
}
