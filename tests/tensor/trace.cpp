// SPDX-License-Identifier: MIT
#include <complex>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/profile.hpp>
#include <consistency/tensor/reference.hpp>
#include <consistency/tensor/stop_at_non_finite.hpp>
#include <consistency/tensor/trace.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float>;

/// The titles of what runs.
std::vector<std::string> titles(auto const& work) {
  std::vector<std::string> seen;
  TraceScope const trace{[&](TraceEvent const& e) { seen.push_back(e.title()); }};
  work();
  return seen;
}

using Titles = std::vector<std::string>;

}  // namespace

TEST_CASE("a trace sees each operation once, in order, with its shapes, and changes no bit") {
  auto const x = normal<float>({2, 8}, {1});
  auto const w = normal<float>({8, 3}, {2});
  X const before = softmax(linear(x, w));
  std::vector<std::string> lines;
  X after;
  {
    TraceScope const trace{[&](TraceEvent const& e) {
      lines.push_back(e.text());
      CHECK(e.pass == Pass::forward);
      CHECK(e.seconds >= 0);
      CHECK(e.start >= 0);
    }};
    after = softmax(linear(x, w));
  }
  CHECK(titles([] {}).empty());
  CHECK(same_bits(before, after));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].starts_with("Linear (2, 8), (8, 3) -> (2, 3), "));
  CHECK(lines[0].ends_with(" ms"));
  CHECK(lines[1].starts_with("Softmax (2, 3) -> (2, 3), "));
}

TEST_CASE("a chain is one operation, and so is one that a backend puts together of others") {
  auto const x = X(Shape{1, 4, 2}, 0.5F);
  CHECK(titles([&] { X const y = x + 2.0 * x; }) == Titles{"a + k * b"});
  auto const q = Tensor<double, Reference>(Shape{1, 4, 2}, 0.5);
  CHECK(titles([&] { static_cast<void>(attention(q, q, q)); }) == Titles{"Attention"});
}

TEST_CASE("random draws are seen under the name of their distribution") {
  CHECK(titles([] { normal<float>({3}, {1}); }) == Titles{"Normal"});
}

TEST_CASE("the backward pass is seen too: the gradient and the operands, to the wanted gradients") {
  auto const x = normal<float>({2, 8}, {1});
  auto const w = normal<float>({8, 3}, {2});
  auto const run = [&] {
    Tape<X> tape;
    auto const v = tape.watch(w);
    tape.backward(Variable<X>(linear(x, v)));
    return tape.gradient(v);
  };
  CHECK(titles(run) == Titles{"Linear", "Linear backward"});
  TraceScope const trace{[&](TraceEvent const& e) {
    if (e.pass != Pass::backward) return;
    CHECK(e.text().starts_with("Linear backward (2, 3), (2, 8), (8, 3) -> (8, 3), "));
    CHECK(e.flops == 2 * 2 * 8 * 3);  // of the two products one was wanted
  }};
  run();
}

TEST_CASE("forward mode shows the value and the tangent") {
  auto const x = X(Shape{3}, 0.5F);
  CHECK(titles([&] { Dual<X> const y = silu(Dual<X>(x, x)); }) == Titles{"silu(a)", "d(silu(a))"});
}

TEST_CASE("scopes nest, end, and belong to one thread") {
  auto const x = X(Shape{3}, 0.5F);
  int outer = 0, inner = 0;
  auto count_outer = [&](TraceEvent const&) { ++outer; };
  {
    TraceScope const trace{count_outer};
    X const a = x + x;
    {
      TraceScope const within{[&](TraceEvent const&) { ++inner; }};
      X const b = x + x;
      std::thread{[&] { X const c = x + x; }}.join();
    }
    X const d = x * x;
  }
  X const e = x + x;
  CHECK(outer == 2);
  CHECK(inner == 1);
}

TEST_CASE("threads that trace at once see their own operations") {
  std::vector<std::thread> threads;
  std::vector<int> seen(4);
  for (std::size_t t = 0; t < seen.size(); ++t)
    threads.emplace_back([&, t] {
      auto const x = X(Shape{5}, 1.0F);
      TraceScope const trace{[&](TraceEvent const&) { ++seen[t]; }};
      for (std::size_t i = 0; i < 100 * (t + 1); ++i) X const y = x + x;
    });
  for (auto& thread : threads) thread.join();
  CHECK(seen == std::vector{100, 200, 300, 400});
}

TEST_CASE(
    "a sink's own operations are not traced, and tracing goes on after an operation that was rejected") {
  auto const x = X(Shape{3}, 0.5F);
  int seen = 0;
  TraceScope const trace{[&](TraceEvent const&) {
    ++seen;
    X const y = x + x;
  }};
  CHECK_THROWS_AS(slice(x, 0, 4), shape_error);
  X const y = x * x;
  CHECK(seen == 1);
}

TEST_CASE("a layer is named where its numbers are an operand, and the last one elsewhere") {
  auto const w = normal<float>({4, 8, 8}, {2});
  auto const part = [&](Index i) { return w.view(i * 64, {8, 8}); };
  auto const names =
      std::vector<LayerNumbers>{{part(2).data(), 256, "second"}, {part(0).data(), 256, "first"}};
  auto const x = normal<float>({2, 8}, {1});
  std::vector<std::string> layers;
  TraceScope const trace{[&](TraceEvent const& e) { layers.emplace_back(e.layer); }, names};
  X const h0 = silu(x);
  X const h1 = silu(linear(h0, part(0)));
  X const h2 = linear(linear(h1, part(1)), part(2));
  X const h3 = linear(h2, part(3));
  CHECK(layers == Titles{"", "first", "after first", "after first", "second", "after second"});
}

TEST_CASE("what shares an operand's numbers is not new") {
  auto const x = X(Shape{4, 4}, 1.0F);
  std::vector<std::size_t> bytes;
  TraceScope const trace{[&](TraceEvent const& e) { bytes.push_back(e.new_bytes()); }};
  reshape(x, {16});
  X const y = x + x;
  CHECK(bytes == std::vector<std::size_t>{0, 64});
}

TEST_CASE("the first number that is not finite stops the work where it is made, and says so") {
  auto x = X(Shape{2, 3}, 1.0F);
  x.mutable_data()[4] = -1;
  auto const names = std::vector<LayerNumbers>{{x.data(), 24, "hidden"}};
  TraceScope const trace{StopAtNonFinite{}, names};
  X const fine = x + x;
  check_fails<ErrorCode::numeric>(
      [&] { X const y = log(x); },
      {"log(a) [hidden]", "shape (2, 3) at (1, 1)", "nan", "(2, 3), are finite", "this operation made it"});
  x.mutable_data()[2] = std::numeric_limits<float>::infinity();
  check_fails<ErrorCode::numeric>(
      [&] { X const y = fine + x; },
      {"a + b", "at (0, 2): found inf", "Operand 2 of shape (2, 3) has inf at (0, 2)", "outside the trace"});
}

TEST_CASE("a gradient that is not finite is found in the backward pass") {
  Tape<X> tape;
  auto const x = tape.watch(X(Shape{2}, 0.0F));
  auto const y = Variable<X>(sqrt(x));  // finite, with an infinite slope at 0
  TraceScope const trace{StopAtNonFinite{}};
  check_fails<ErrorCode::numeric>([&] { tape.backward(y); },
                                  {"sqrt(a) backward", "at (0): found inf", "this operation made it"});
}

TEST_CASE("complex numbers are finite where both parts are") {
  using C = Tensor<std::complex<double>, Reference>;
  TraceScope const trace{StopAtNonFinite{}};
  auto const x = C(Shape{2}, {1.0, std::numeric_limits<double>::infinity()});
  check_fails<ErrorCode::numeric>([&] { C const y = x + x; }, {"a + b", "+ infi"});
}

TEST_CASE("a profile counts calls, time, new bytes and the work of products") {
  auto const x = normal<float>({2, 8}, {1});
  auto const w = normal<float>({8, 3}, {2});
  Profile profile;
  {
    TraceScope const trace{profile};
    for (int i = 0; i < 3; ++i) linear(x, w);
    X const y = x + x;
  }
  auto const rows = profile.rows();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].seconds >= rows[1].seconds);
  double total = 0;
  for (auto const& row : rows) {
    total += row.seconds;
    auto const product = row.operation == "Linear";
    CHECK((product || row.operation == "a + b"));
    CHECK(row.calls == (product ? 3 : 1));
    CHECK(row.bytes == (product ? 3 * 2 * 3 * 4 : 2 * 8 * 4));
    CHECK(row.flops == (product ? 3 * 2 * 2 * 8 * 3 : 0));
  }
  CHECK(total <= profile.seconds());
}

TEST_CASE("a profile of several scopes adds up their spans") {
  auto const x = normal<float>({64, 64}, {1});
  Profile profile;
  for (int step = 0; step < 3; ++step) {
    TraceScope const trace{profile};
    linear(x, x);
    linear(x, x);
  }
  double total = 0;
  for (auto const& row : profile.rows()) total += row.seconds;
  CHECK(total > 0);
  CHECK(profile.seconds() >= total * (1 - 1e-12));
}

TEST_CASE("a profile's table has a line per operation, aligned, and what lies between") {
  Profile profile;
  auto const x = normal<float>({2, 8}, {1});
  {
    TraceScope const trace{profile};
    X const y = x + x;
    softmax(x);
  }
  auto const table = profile.text();
  CAPTURE(table);
  for (auto const* const word :
       {"operation ", "calls", "a + b ", "Softmax ", "between operations ", "MiB held"})
    CHECK(table.find(word) != std::string::npos);
  std::vector<std::size_t> lengths;
  for (std::size_t at = 0, end; (end = table.find('\n', at)) != std::string::npos; at = end + 1)
    lengths.push_back(end - at);
  REQUIRE(lengths.size() == 5);
  for (std::size_t i = 1; i < 4; ++i) CHECK(lengths[i] == lengths[0]);
  CHECK(Profile{}.text().find("0.000") != std::string::npos);
}

TEST_CASE("a profile by layers has a line for each operation of each layer") {
  auto const w = normal<float>({8, 8}, {2});
  Profile profile{{.layers = true}};
  {
    TraceScope const trace{profile, std::vector<LayerNumbers>{{w.data(), 256, "in"}}};
    X const y = silu(linear(w, w));
  }
  CHECK(profile.text().find("Linear [in] ") != std::string::npos);
  CHECK(profile.text().find("silu(a) [after in] ") != std::string::npos);
}

TEST_CASE("a convolution's work is counted from its shapes") {
  std::vector<double> flops;
  TraceScope const trace{[&](TraceEvent const& e) { flops.push_back(e.flops); }};
  conv2d(X(Shape{2, 6, 6, 3}, 1.0F), X(Shape{3, 3, 3, 5}, 1.0F), 2);
  CHECK(flops == std::vector{2.0 * 2 * 3 * 3 * (3 * 3 * 3) * 5});
}
