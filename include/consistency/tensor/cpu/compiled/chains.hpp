// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/ops.hpp>

namespace consistency::cpu::compiled {

template <class...>
struct TypeList {};

namespace chain {

using namespace pointwise;
using X = Leaf;      // an operand
using C = Constant;  // a number
template <class A, class B>
using Sum = Binary<Add, A, B>;
template <class A, class B>
using Difference = Binary<Subtract, A, B>;
template <class A, class B>
using Product = Binary<Multiply, A, B>;
template <class A, class B>
using Quotient = Binary<Divide, A, B>;
template <class A>
using AbsOf = Unary<Abs, A>;
template <class A>
using CosOf = Unary<Cos, A>;
template <class A>
using LogOf = Unary<Log, A>;
template <class A>
using MishOf = Unary<Mish, A>;
template <class A>
using ReluOf = Unary<Relu, A>;
template <class A>
using SigmoidOf = Unary<Sigmoid, A>;
template <class A>
using SiluOf = Unary<Silu, A>;
template <class A>
using SinOf = Unary<Sin, A>;
template <class A>
using SqrtOf = Unary<Sqrt, A>;
template <class A>
using SquareOf = Unary<Square, A>;

/// The element-wise chains of the library's processes, networks, parameterizations, weightings, metrics,
/// solvers and rules: those that are differentiated, and those whose values alone are asked for.
using Differentiated = TypeList<
    CosOf<X>, SinOf<X>, ReluOf<X>, SiluOf<X>, MishOf<X>, Sum<MishOf<X>, X>, Sum<Product<X, MishOf<X>>, X>,
    Sum<Product<Sum<C, X>, MishOf<X>>, X>, Sum<X, X>, SquareOf<X>, Product<X, C>, Product<X, X>,
    Quotient<X, X>, Product<C, LogOf<X>>, Product<C, Sum<X, X>>, Product<X, Sum<C, X>>, Sum<Product<X, X>, X>,
    AbsOf<Difference<X, X>>, Sum<SqrtOf<Sum<X, C>>, C>, Sum<Sum<Sum<X, X>, X>, X>, SquareOf<Difference<X, X>>,
    Sum<Product<X, Sum<C, X>>, X>, Product<Sum<Product<C, X>, C>, X>, Sum<Product<X, X>, Product<X, X>>,
    Sum<X, Difference<Product<C, X>, X>>, Product<X, SquareOf<Difference<X, X>>>,
    Quotient<X, Sum<SqrtOf<Sum<X, C>>, C>>, Quotient<C, SqrtOf<Sum<SquareOf<X>, C>>>,
    Product<Product<C, Sum<Product<C, X>, C>>, X>, Quotient<C, Sum<SquareOf<Difference<X, C>>, C>>,
    Product<X, Quotient<X, Sum<SqrtOf<Sum<X, C>>, C>>>,
    Product<Quotient<Sum<SquareOf<X>, C>, SquareOf<Product<X, C>>>, X>,
    Quotient<Product<C, Difference<X, C>>, SqrtOf<Sum<SquareOf<X>, C>>>,
    Product<Sum<Product<C, X>, C>, Quotient<X, Sum<SqrtOf<Sum<X, C>>, C>>>,
    Product<Quotient<C, Difference<X, X>>, Quotient<X, Sum<SqrtOf<Sum<X, C>>, C>>>,
    Product<Product<C, Sum<Sum<Quotient<C, SquareOf<X>>, C>, AbsOf<Difference<Quotient<C, SquareOf<X>>, C>>>>,
            X>,
    Tangent<CosOf<X>>, Tangent<SinOf<X>>, Tangent<SiluOf<X>>, Tangent<Product<X, C>>, Tangent<Product<X, X>>,
    Tangent<Product<C, LogOf<X>>>, Tangent<SquareOf<Difference<X, X>>>,
    Tangent<Sum<Product<X, X>, Product<X, X>>>, Tangent<Quotient<C, SqrtOf<Sum<SquareOf<X>, C>>>>,
    Tangent<Quotient<C, Sum<SquareOf<Difference<X, C>>, C>>>,
    Tangent<Quotient<Product<C, Difference<X, C>>, SqrtOf<Sum<SquareOf<X>, C>>>>,
    Tangent<Tangent<Product<X, C>>>, Tangent<Tangent<SquareOf<Difference<X, X>>>>>;
using Plain =
    TypeList<AbsOf<X>, SqrtOf<X>, SigmoidOf<X>, Product<C, X>, Difference<X, X>, Sum<X, Product<C, X>>,
             Sum<X, Product<X, X>>, SquareOf<Difference<X, C>>, Difference<X, Product<C, X>>,
             Difference<X, Product<X, X>>, Quotient<Difference<X, X>, X>, Quotient<X, SqrtOf<Sum<X, C>>>,
             Sum<Product<C, X>, Product<C, X>>, Sum<X, Product<Difference<X, X>, X>>,
             Quotient<C, SqrtOf<Sum<Product<C, X>, C>>>, Product<X, Difference<X, Product<X, Product<C, X>>>>,
             Sum<X, Product<Product<C, Difference<X, X>>, Sum<X, X>>>,
             Product<X, Product<X, Sum<C, Product<X, Difference<C, X>>>>>,
             Sum<X, Product<Difference<X, X>, Quotient<Difference<X, X>, X>>>,
             Difference<X, Product<X, Quotient<Difference<X, X>, Difference<X, X>>>>,
             Sum<Product<Difference<C, X>, X>, Product<X, X>>, Difference<Product<X, X>, Product<X, X>>,
             Quotient<Difference<Product<X, X>, X>, X>, Tangent<Sum<X, X>>, Tangent<Product<C, Sum<X, X>>>,
             Tangent<Product<X, Sum<C, X>>>, Tangent<Sum<Product<X, Sum<C, X>>, X>>>;

}  // namespace chain

using chain::Differentiated;
using chain::Plain;

}  // namespace consistency::cpu::compiled
