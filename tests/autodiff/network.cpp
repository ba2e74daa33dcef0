// SPDX-License-Identifier: MIT
#include <array>
#include <atomic>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/tensor/reference.hpp>

#include "derivatives.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

std::atomic<std::uint64_t> heap_allocations = 0;

}  // namespace

// Counts what the whole test program takes from the heap; tensors do not pass here.
void* operator new(std::size_t size) {
  ++heap_allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using T = Tensor<double>;
using V = Variable<T>;

constexpr std::size_t network_parts = 7;
template <class X>
using Parts = std::array<X, network_parts>;

/// Image, kernel, bias, scale, shift, weight, bias.
Parts<Shape> const network_shapes{Shape{2, 4, 4, 4}, Shape{3, 3, 4, 4}, Shape{4}, Shape{2, 1, 1, 4},
                                  Shape{2, 1, 1, 4}, Shape{8, 3},       Shape{3}};

/// A small network of mixed operations with a loss: for any value type.
template <class X>
X network(Parts<X> const& p) {
  X h = group_norm(conv2d(p[0], p[1], p[2]), p[3], p[4], {.groups = 2, .epsilon = 1e-2, .silu = true});
  X const q = reshape(h, {2, 16, 4});
  X const a = attention_mix(softmax(attention_scores(q, q, {.heads = 2, .scale = 0.7})), q);
  h = h + reshape(a, h.shape());
  h = downsample(h);
  X const o = linear(concat(h, sin(h)), p[5], p[6]);
  return mean(sqrt(square(tanh(o) - 0.3) + 0.01) - 0.1);
}

template <class S>
Parts<Tensor<S>> network_values(std::uint32_t stream) {
  Parts<Tensor<S>> x;
  for (std::size_t k = 0; k < x.size(); ++k)
    x[k] = random<S>(network_shapes[k], stream + static_cast<std::uint32_t>(k));
  return x;
}

/// The derivative of the network's loss along u by the complex step.
double network_complex_step(Parts<T> const& x, Parts<T> const& u) {
  using Complex = std::complex<double>;
  Parts<Tensor<Complex, Reference>> z;
  for (std::size_t k = 0; k < z.size(); ++k) {
    z[k] = Tensor<Complex, Reference>{x[k].shape()};
    for (Index i = 0; i < x[k].count(); ++i) z[k].mutable_data()[i] = {x[k][i], 1e-200 * u[k][i]};
  }
  return network(z)[0].imag() / 1e-200;
}

Parts<T> network_gradient(Parts<T> const& x) {
  Tape<T> tape;
  Parts<V> watched;
  for (std::size_t k = 0; k < x.size(); ++k) watched[k] = tape.watch(x[k]);
  tape.backward(network(watched));
  Parts<T> g;
  for (std::size_t k = 0; k < x.size(); ++k) g[k] = tape.gradient(watched[k]);
  return g;
}

/// H u by reverse over forward.
Parts<T> network_hessian_times(Parts<T> const& x, Parts<T> const& u) {
  Tape<T> tape;
  Parts<V> watched;
  Parts<Dual<V>> dual;
  for (std::size_t k = 0; k < x.size(); ++k) {
    watched[k] = tape.watch(x[k]);
    dual[k] = {watched[k], V{u[k]}};
  }
  tape.backward(network(dual).tangent);
  Parts<T> g;
  for (std::size_t k = 0; k < x.size(); ++k) g[k] = or_zero(tape.gradient(watched[k]), x[k].shape());
  return g;
}

}  // namespace

TEST_CASE("the second derivative of a network, forward over forward, is that of reverse over forward") {
  auto const x = network_values<double>(1), u = network_values<double>(200);
  Parts<Dual<Dual<T>>> twice;
  for (std::size_t k = 0; k < x.size(); ++k) twice[k] = {Dual<T>{x[k], u[k]}, Dual<T>{u[k]}};
  auto const exact = dot_all(u, network_hessian_times(x, u));
  CHECK(network(twice).tangent.tangent[0] == doctest::Approx(exact).epsilon(1e-10));
}

TEST_CASE("the second of two equal steps takes no memory from anywhere") {
  Threads const one{1};  // with more, the number of blocks in use at one time is left to chance
  Tape<Tensor<float>> tape;
  auto const x = network_values<float>(1);
  auto const u = network_values<float>(50);
  auto const step = [&] {
    Parts<Variable<Tensor<float>>> watched;
    Parts<Dual<Variable<Tensor<float>>>> dual;
    for (std::size_t k = 0; k < x.size(); ++k) {
      watched[k] = tape.watch(x[k]);
      dual[k] = {watched[k], Variable<Tensor<float>>{u[k]}};
    }
    tape.backward(network(dual).tangent);
    tape.clear();
  };
  auto const before = heap_allocations.load();
  step();
  CHECK(heap_allocations.load() > before);  // the tape's own memory: the counter counts
  auto const from_system = MemoryPool::instance().system_allocations();
  auto const from_heap = heap_allocations.load();
  step();
  CHECK(heap_allocations.load() == from_heap);
  CHECK(MemoryPool::instance().system_allocations() == from_system);
}

TEST_CASE("forward and reverse derivatives of a network agree with the complex step") {
  auto const x = network_values<double>(1);
  auto const g = network_gradient(x);
  for (std::uint32_t stream = 100; stream < 200; stream += 20) {
    auto const u = network_values<double>(stream);
    Parts<Dual<T>> dual;
    for (std::size_t k = 0; k < x.size(); ++k) dual[k] = {x[k], u[k]};
    auto const exact = network_complex_step(x, u);
    auto const size = std::sqrt(dot_all(g, g) * dot_all(u, u));
    CHECK(std::abs(network(dual).tangent[0] - exact) <= 1e-12 * size);
    CHECK(std::abs(dot_all(g, u) - exact) <= 1e-12 * size);
  }
}

TEST_CASE("each part of a network's gradient agrees with the complex step") {
  auto const x = network_values<double>(1);
  auto const g = network_gradient(x);
  for (std::size_t k = 0; k < x.size(); ++k) {
    CAPTURE(k);
    Parts<T> u;
    for (std::size_t j = 0; j < x.size(); ++j) u[j] = T{x[j].shape(), 0.0};
    u[k] = random<double>(x[k].shape(), 300);
    CHECK(std::abs(dot(g[k], u[k]) - network_complex_step(x, u)) <= 1e-12 * norm(g[k]) * norm(u[k]));
  }
}

TEST_CASE("the Hessian of a network is symmetric") {
  auto const x = network_values<double>(1);
  for (std::uint32_t stream = 400; stream < 500; stream += 20) {
    auto const u = network_values<double>(stream);
    auto const v = network_values<double>(stream + 10);
    auto const hu = network_hessian_times(x, u);
    auto const hv = network_hessian_times(x, v);
    auto const size = std::sqrt(dot_all(hu, hu) * dot_all(v, v));
    CHECK(std::abs(dot_all(hu, v) - dot_all(hv, u)) <= 1e-11 * size);
  }
}

TEST_CASE("the Hessian of a network times a vector agrees with differences of its gradient") {
  constexpr auto h = 1e-4;
  auto const x = network_values<double>(1);
  auto const u = network_values<double>(600);
  auto const hu = network_hessian_times(x, u);
  auto const gradient_at = [&](double step) {
    auto moved = x;
    for (std::size_t k = 0; k < x.size(); ++k) moved[k] = combine(1, x[k], step, u[k]);
    return network_gradient(moved);
  };
  auto const [a, b, c, d] =
      std::array{gradient_at(-2 * h), gradient_at(-h), gradient_at(h), gradient_at(2 * h)};
  for (std::size_t k = 0; k < x.size(); ++k) {
    CAPTURE(k);
    auto const inner = combine(1, c[k], -1, b[k]);
    auto const outer = combine(1, d[k], -1, a[k]);
    auto const difference = combine(8 / (12 * h), inner, -1 / (12 * h), outer);
    CHECK(relative_error(hu[k], difference) <= 1e-7);
  }
}

TEST_CASE("the value of a network is the same bits whatever it is differentiated by") {
  auto const x = network_values<double>(1);
  auto const u = network_values<double>(700);
  auto const plain = network(x);
  Tape<T> tape;
  Parts<V> variable;
  Parts<Dual<T>> dual;
  Parts<Dual<V>> both;
  for (std::size_t k = 0; k < x.size(); ++k) {
    variable[k] = tape.watch(x[k]);
    dual[k] = {x[k], u[k]};
    both[k] = {variable[k], V{u[k]}};
  }
  CHECK(same_bits(network(variable).value(), plain));
  CHECK(same_bits(network(dual).primal, plain));
  CHECK(same_bits(network(both).primal.value(), plain));
}
