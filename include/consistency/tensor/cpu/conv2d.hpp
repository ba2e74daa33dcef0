// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>

#include <consistency/tensor/cpu/linear.hpp>
#include <consistency/tensor/cpu/winograd.hpp>

namespace consistency {

namespace cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// The patches of a k×l convolution with padding k/2 and l/2, as rows of a matrix: one row per output pixel.
template <class S>
struct Patches {
  S const* x;
  Index height, width, channels, kernel_height, kernel_width, stride, out_height, out_width;

  Patches(Tensor<S, Cpu> const& image, Shape const& w, Index step)
      : x{image.data()},
        height{image.shape()[1]},
        width{image.shape()[2]},
        channels{image.shape()[3]},
        kernel_height{w[0]},
        kernel_width{w[1]},
        stride{step},
        out_height{(height - 1) / step + 1},
        out_width{(width - 1) / step + 1} {}

  Index depth() const { return kernel_height * kernel_width * channels; }

  void gather(Index begin, Index end, S* to) const {
    for (auto r = begin; r < end; ++r) {
      auto const column = r % out_width * stride - kernel_width / 2;
      auto const line = r / out_width % out_height * stride - kernel_height / 2;
      auto const* const image = x + r / (out_width * out_height) * height * width * channels;
      auto const first = std::max<Index>(0, -column);
      auto const last = std::min(kernel_width, width - column);
      for (Index ky = 0; ky < kernel_height; ++ky, to += kernel_width * channels) {
        auto const row = line + ky;
        if (row < 0 || row >= height) {
          std::fill_n(to, kernel_width * channels, S(0));
          continue;
        }
        auto const* const from = image + (row * width + column) * channels;
        std::fill_n(to, first * channels, S(0));
        std::copy(from + first * channels, from + last * channels, to + first * channels);
        std::fill(to + last * channels, to + kernel_width * channels, S(0));
      }
    }
  }
};

/// y = conv(x, w) and its epilogue for weights already in panels.
template <class S>
void convolve(Patches<S> const& patches, S const* panel, Index rows, Index out_channels, S* y,
              Epilogue<S> const& after) {
  auto const depth = patches.depth();
  auto const pixels = patches.out_height * patches.out_width;
  parallel_ranges(rows, 8 * Block<S>::height, [&](Index begin, Index end) {
    auto buffer = Tensor<S, Cpu>{Shape{end - begin, depth}};
    patches.gather(begin, end, buffer.mutable_data());
    multiply_rows<S>({buffer.data(), depth, 1}, panel, end - begin, out_channels, depth,
                     y + begin * out_channels, out_channels,
                     {.bias = after.bias_pitch == 0 ? after.bias : nullptr});
    if (after.bias_pitch == 0 && !after.residual) return;
    for (auto row = begin; row < end; ++row)
      for_packs<S>(out_channels, [&](auto lanes, Index c) {
        auto* const to = y + row * out_channels + c;
        auto value = lanes.load(to);
        if (after.bias_pitch != 0) value += lanes.load(after.bias + row / pixels * after.bias_pitch + c);
        lanes.store(after.finish(value, row * out_channels + c, lanes), to);
      });
  });
}

/// Calls run(Winograd<tile>{}) with the tile that suits a 3×3 stride-1 convolution over images (n, h, w, ·),
/// if W (k, l, ·, ·) is one and has channels enough to pay for the transforms; says whether it did. Never
/// asks for n: a sample's bits do not depend on its batch.
template <class Run>
bool with_winograd(Shape const& w, Index stride, Shape const& image, Index in, Index out, Run&& run) {
  if (w[0] != 3 || w[1] != 3 || stride != 1 || in < 16) return false;
  auto const one = image.with(0, 1);
  auto const tiles_of_2 = TileGrid<Winograd<2>>{one}.tiles;
  auto const tiles_of_4 = TileGrid<Winograd<4>>{one}.tiles;
  // On small images of many channels the time goes into reading the weights, of which larger tiles have more.
  auto const heavy = tiles_of_4 < 8 && in * out >= 128 * 128;
  if (heavy || tiles_of_2 * Winograd<2>::frequencies < tiles_of_4 * Winograd<4>::frequencies) {
    run(Winograd<2>{});
  } else {
    run(Winograd<4>{});
  }
  return true;
}

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace cpu

template <>
struct cpu::Kernel<op::Conv2d> {
  template <class S>
  static Tensor<S, Cpu> value(op::Conv2d const& op, Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& w) {
    return forward(op, op.result(x.shape(), w.shape()), x, w, cpu::Epilogue<S>{});
  }
  template <class S>
  static Tensor<S, Cpu> value(op::Conv2d const& op, Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& w,
                              Tensor<S, Cpu> const& b) {
    return forward(op, op.result(x.shape(), w.shape(), b.shape()), x, w, epilogue(b));
  }
  template <class S>
  static Tensor<S, Cpu> value(op::Conv2d const& op, Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& w,
                              Tensor<S, Cpu> const& b, Tensor<S, Cpu> const& r) {
    auto after = epilogue(b);
    after.residual = r.data();
    after.scale = static_cast<S>(op.scale);
    return forward(op, op.result(x.shape(), w.shape(), b.shape(), r.shape()), x, w, after);
  }

  template <class S>
  static std::array<Tensor<S, Cpu>, 2> vjp(op::Conv2d const& op, std::array<bool, 2> const& wanted,
                                           Tensor<S, Cpu> const&, Tensor<S, Cpu> const& g,
                                           Tensor<S, Cpu> const& x, Tensor<S, Cpu> const& w) {
    std::array<Tensor<S, Cpu>, 2> result;
    auto const out = w.shape()[3];
    if (wanted[0]) result[0] = backward_data(op, g, x.shape(), w);
    auto const transformed = [&]<class W>(W) { result[1] = cpu::winograd_weight_gradient<W>(x, g); };
    if (wanted[1] && !cpu::with_winograd(w.shape(), op.stride, x.shape(), w.shape()[2], out, transformed)) {
      auto const patches = cpu::Patches<S>{x, w.shape(), op.stride};
      result[1] = cpu::weight_gradient<S>(g.shape().rows(), patches.depth(), out, g.data(),
                                          [&](Index begin, Index end, S* buffer) {
                                            patches.gather(begin, end, buffer);
                                            return buffer;
                                          })
                      .reshaped(w.shape());
    }
    return result;
  }

 private:
  template <class S>
  static cpu::Epilogue<S> epilogue(Tensor<S, Cpu> const& b) {
    return {.bias = b.data(), .bias_pitch = b.shape().rank() == 4 ? b.shape().back() : 0};
  }

  template <class S>
  static Tensor<S, Cpu> forward(op::Conv2d const& op, Shape shape, Tensor<S, Cpu> const& x,
                                Tensor<S, Cpu> const& w, cpu::Epilogue<S> const& after) {
    auto y = Tensor<S, Cpu>{shape};
    auto const out = w.shape()[3];
    auto const transformed = [&]<class W>(W) {
      cpu::winograd_convolve<W, S>(x, {w, false}, y.mutable_data(), after);
    };
    if (cpu::with_winograd(w.shape(), op.stride, x.shape(), w.shape()[2], out, transformed)) return y;
    auto const patches = cpu::Patches<S>{x, w.shape(), op.stride};
    auto const panel = cpu::packed_form(w, {w.data(), out, 1}, patches.depth(), out);
    cpu::convolve(patches, panel.data(), shape.rows(), out, y.mutable_data(), after);
    return y;
  }

  /// The adjoint in x: a stride-1 convolution of the (dilated) gradient with the flipped, transposed kernel.
  template <class S>
  static Tensor<S, Cpu> backward_data(op::Conv2d const& op, Tensor<S, Cpu> const& g, Shape const& shape,
                                      Tensor<S, Cpu> const& w) {
    auto const taps = w.shape()[0] * w.shape()[1];
    auto const in = w.shape()[2];
    auto const out = w.shape()[3];
    auto dx = Tensor<S, Cpu>{shape};
    auto const transformed = [&]<class W>(W) {
      cpu::winograd_convolve<W, S>(g, {w, true}, dx.mutable_data(), {});
    };
    if (cpu::with_winograd(w.shape(), op.stride, shape, out, in, transformed)) return dx;
    auto flipped = Tensor<S, Cpu>{Shape{taps, out, in}};
    for (Index tap = 0; tap < taps; ++tap) {
      auto const* const from = w.data() + (taps - 1 - tap) * in * out;
      auto* const to = flipped.mutable_data() + tap * in * out;
      for (Index i = 0; i < in; ++i)
        for (Index o = 0; o < out; ++o) to[o * in + i] = from[i * out + o];
    }
    auto const dilated = op.stride == 1 ? g : dilate(g, op.stride, shape);
    auto const patches = cpu::Patches<S>{dilated, w.shape(), 1};
    auto const panel = cpu::packed<S>({flipped.data(), in, 1}, patches.depth(), in);
    cpu::convolve(patches, panel.data(), shape.rows(), in, dx.mutable_data(), cpu::Epilogue<S>{});
    return dx;
  }

  template <class S>
  static Tensor<S, Cpu> dilate(Tensor<S, Cpu> const& g, Index stride, Shape const& shape) {
    auto const channels = g.shape()[3];
    auto wide = Tensor<S, Cpu>{shape.with_channels(channels), S(0)};
    for (Index n = 0; n < g.shape()[0]; ++n)
      for (Index y = 0; y < g.shape()[1]; ++y)
        for (Index x = 0; x < g.shape()[2]; ++x)
          std::copy_n(g.data() + ((n * g.shape()[1] + y) * g.shape()[2] + x) * channels, channels,
                      wide.mutable_data() + ((n * shape[1] + y * stride) * shape[2] + x * stride) * channels);
    return wide;
  }
};

}  // namespace consistency
