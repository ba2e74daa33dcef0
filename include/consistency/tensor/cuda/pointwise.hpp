// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <consistency/tensor/broadcast.hpp>
#include <consistency/tensor/cuda/memory.hpp>
#include <consistency/tensor/cuda/program.hpp>
#include <consistency/tensor/expression.hpp>

namespace consistency {

namespace cuda {

/// A program and the numbers it runs on: operand k repeats where its strides are 0 (see BroadcastPlan).
template <class S>
struct PointwiseRun {
  Program program;
  int leaves = 0, axes = 0;
  Index count = 0, inner = 1;
  Index extent[Shape::max_rank] = {};
  Index inner_stride[Program::max_leaves] = {};
  Index stride[Shape::max_rank][Program::max_leaves] = {};
  S const* from[Program::max_leaves] = {};
  S* to[Program::max_outputs] = {};
};
template <CompiledScalar S>
void run(PointwiseRun<S> const& work);

/// Runs a traced program over a broadcast plan; output k goes to to[k].
template <class S, std::size_t N, std::size_t M>
void run(Program const& program, BroadcastPlan<N> const& plan, std::array<S const*, N> const& from,
         std::array<S*, M> const& to) {
  static_assert(N <= Program::max_leaves,
                "an element-wise chain has too many operands: evaluate a part first");
  static_assert(M <= Program::max_outputs);
  PointwiseRun<S> work;
  work.program = program;
  work.leaves = static_cast<int>(N);
  work.axes = static_cast<int>(plan.axes);
  work.count = plan.shape.count();
  work.inner = plan.inner;
  for (std::size_t a = 0; a < plan.axes; ++a) {
    work.extent[a] = plan.extents[a];
    for (std::size_t k = 0; k < N; ++k) work.stride[a][k] = plan.strides[a][k];
  }
  for (std::size_t k = 0; k < N; ++k) work.inner_stride[k] = plan.inner_stride[k], work.from[k] = from[k];
  for (std::size_t k = 0; k < M; ++k) work.to[k] = to[k];
  if (work.count > 0) run(work);
}

template <std::size_t N>
std::array<Symbol, N> leaves() {
  Tracer::current().clear();
  std::array<Symbol, N> x;
  for (std::size_t k = 0; k < N; ++k) x[k] = Symbol::leaf(static_cast<int>(k));
  return x;
}

}  // namespace cuda

/// A chain is traced into a program when it is called: any function that is generic over its number type runs
/// on the device in one pass, and code that calls it needs no nvcc.
template <class F>
struct Kernel<Pointwise<F>, Cuda> {
  template <class S, class... Rest>
  static Tensor<S, Cuda> value(Pointwise<F> const& op, Tensor<S, Cuda> const& x, Rest const&... rest) {
    constexpr auto n = 1 + sizeof...(Rest);
    auto const node = op.f.template eval<0>(cuda::leaves<n>()).node();
    auto const program = cuda::Tracer::current().program(std::array{node}, 1);
    auto const plan = BroadcastPlan<n>{x.shape(), rest.shape()...};
    Tensor<S, Cuda> y{plan.shape};
    cuda::run<S, n, 1>(program, plan, {x.data(), rest.data()...}, {y.mutable_data()});
    return y;
  }

  /// g · ∂f/∂xₖ for the wanted k, each of the result's shape: all in one pass.
  template <class S, std::size_t N, class... Rest>
  static std::array<Tensor<S, Cuda>, N> vjp(Pointwise<F> const& op, std::array<bool, N> const& wanted,
                                            Tensor<S, Cuda> const&, Tensor<S, Cuda> const& g,
                                            Tensor<S, Cuda> const& x, Rest const&... rest) {
    auto const plan = BroadcastPlan<N + 1>{x.shape(), rest.shape()..., g.shape()};
    auto const leaf = cuda::leaves<N + 1>();
    std::array<Tensor<S, Cuda>, N> result;
    std::array<S*, N> to{};
    std::array<int, N> nodes{};
    std::size_t count = 0;
    for (std::size_t k = 0; k < N; ++k) {
      if (!wanted[k]) continue;
      result[k] = Tensor<S, Cuda>{plan.shape};
      to[count] = result[k].mutable_data();
      nodes[count++] = (leaf[N] * derivative(op.f, leaf, k, std::make_index_sequence<N>{})).node();
    }
    auto const program = cuda::Tracer::current().program(nodes, static_cast<int>(count));
    cuda::run<S, N + 1, N>(program, plan, {x.data(), rest.data()..., g.data()}, to);
    return result;
  }

 private:
  template <class V, std::size_t... K>
  static cuda::Symbol derivative(F const& f, V const& v, std::size_t along, std::index_sequence<K...>) {
    using J = Jet<cuda::Symbol>;
    auto const x = std::array<J, sizeof...(K)>{J{v[K], cuda::Symbol{K == along ? 1.0 : 0.0}}...};
    return f.template eval<0>(x).d;
  }
};

/// to += from, in place; shapes are equal.
template <class S>
void accumulate_into(Tensor<S, Cuda>& to, Tensor<S, Cuda> const& from) {
  auto const x = cuda::leaves<2>();
  auto const program = cuda::Tracer::current().program(std::array{(x[0] + x[1]).node()}, 1);
  cuda::run<S, 2, 1>(program, BroadcastPlan<2>{to.shape(), from.shape()}, {to.data(), from.data()},
                     {to.mutable_data()});
}

}  // namespace consistency
