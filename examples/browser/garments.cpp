// SPDX-License-Identifier: MIT
// What the page examples/browser/index.html calls: a consistency model of garments, 28 × 28 numbers from −1
// (black) to 1 (white). Built by scripts/browser.sh.
//
// Every function returns null, or, for those that can fail, what went wrong, valid until the next call.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include <consistency/checkpoint/checkpoint_file.hpp>
#include <consistency/consistency.hpp>
#include <consistency/editing/inpaint.hpp>
#include <consistency/editing/slerp.hpp>

namespace {

using namespace consistency;
using X = Tensor<float>;

constexpr Index height = 28, width = 28, pixels = height * width;
constexpr Index positions = 101;  // of the slider

/// The network of examples/models/fashion_mnist.safetensors.
struct Garments {
  UNet network{{.attention = {7}, .heads = 2, .patch = 2, .image = {height, width, 1}}};
  ConsistencyFunction<UNet> f{network};
  PreparedParameters<X> theta;

  explicit Garments(CheckpointFile const& file) : theta{file.parameters(network.parameters(), "averaged")} {
    file.require_process(f.process());
  }
};

std::optional<Garments> model;
std::array<float, pixels> image, mask;  // of the last call; 1 where it is to be painted anew
std::string message;

char const* guarded(auto const& work) {
  try {
    work();
    return nullptr;
  } catch (std::exception const& failure) {
    message = failure.what();
    return message.c_str();
  }
}

void show(X const& x) { std::copy_n(x.data(), pixels, image.data()); }

/// The noise that `draw` of this seed begins with, (1, h, w, 1).
X noise_of(std::uint32_t seed) { return normal<X>({1, height, width, 1}, Key{seed, stream::sampling}); }

}  // namespace

extern "C" {

/// A safetensors file in memory, which is copied.
[[gnu::used]] char const* load(std::byte const* bytes, std::size_t size) {
  return guarded([&] {
    auto const name = std::string{"the model"};
    model.emplace(CheckpointFile{parse_safetensors(Bytes{bytes, bytes + size}, name), name});
  });
}

[[gnu::used]] float* image_at() { return image.data(); }
[[gnu::used]] float* mask_at() { return mask.data(); }

/// One garment, by one evaluation of the network.
[[gnu::used]] char const* draw(std::uint32_t seed) {
  return guarded([&] { show(sample(model->f, model->theta, OneStep{}, {.seed = seed})); });
}

/// The garment at a position, 0 to 100, on the way from one seed's noise to another's.
[[gnu::used]] char const* between(std::uint32_t from, std::uint32_t to, std::uint32_t position) {
  return guarded([&] {
    X const all = slerp(noise_of(from), noise_of(to), positions);  // (positions, h, w, 1)
    X const z = all.view(position * pixels, {1, height, width, 1});
    show(sample(model->f, model->theta, OneStep{}, {.noise = z}));
  });
}

/// Paints the image anew where the mask is 1.
[[gnu::used]] char const* fill(std::uint32_t seed) {
  return guarded([&] {
    X y{{1, height, width, 1}}, open{{1, height, width, 1}};
    std::copy_n(image.data(), pixels, y.mutable_data());
    std::copy_n(mask.data(), pixels, open.mutable_data());
    show(inpaint(model->f, model->theta, std::move(y), std::move(open), {.seed = seed}));
  });
}

}  // extern "C"
