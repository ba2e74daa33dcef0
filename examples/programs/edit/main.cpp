// SPDX-License-Identifier: MIT
// Edits real images with a consistency model: each row of the sheet is what was given, the results, the
// original. Options: edit --help

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <consistency/checkpoint/model_file.hpp>
#include <consistency/editing/colorize.hpp>
#include <consistency/editing/denoise.hpp>
#include <consistency/editing/inpaint.hpp>
#include <consistency/editing/slerp.hpp>
#include <consistency/editing/stroke_guided.hpp>
#include <consistency/editing/super_resolve.hpp>
#include <consistency/io/png.hpp>

#include "../cifar10/choose.hpp"
#include "../run/judge.hpp"
#include "../run/options.hpp"
#include "../run/provenance.hpp"
#include "../support/device.hpp"

namespace {

using namespace run;
using Host = Tensor<float>;

struct EditOptions {
  std::filesystem::path model = "demo/model.safetensors", out = "edit.png", mask;
  std::string task = "inpaint", data;
  Index first = 0, count = 4, results = 4, points = 40, factor = 0, zoom = 2;
  double time = 0;
  std::optional<Index> of_class;
  std::uint64_t seed = 0;
  std::string device = "cpu";
  unsigned threads = 0;
};

std::optional<int> parse_edit_options(EditOptions& o, int argc, char** argv) {
  CLI::App app{"Edits images with a model that it was never trained for (Song et al. 2023, Algorithm 4).",
               "edit"};
  app.add_option("--task", o.task, "What to do")
      ->check(CLI::IsMember({"inpaint", "colorize", "super-resolution", "stroke", "denoise", "interpolate"}))
      ->capture_default_str();
  app.add_option("--model", o.model, "model.safetensors or a checkpoint of a consistency function")
      ->capture_default_str();
  app.add_option(
      "--data", o.data,
      "Images to edit: fashion-mnist, an IDX file, the folder cifar-10-batches-bin, or a folder of "
      "pictures (default: what the model was trained on; of the first and third the test images)");
  app.add_option("--first", o.first, "Number of the first image")->check(CLI::NonNegativeNumber);
  app.add_option("--count", o.count, "Images to edit")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--results", o.results, "Results for each")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--points", o.points,
                 "Points of the grid whose times are taken: more heed what is known more")
      ->check(CLI::Range(2, 10000))
      ->capture_default_str();
  app.add_option("--mask", o.mask, "inpaint: a PNG, white where pixels are generated (default: the middle)");
  app.add_option("--factor", o.factor,
                 "super-resolution, stroke: side of the squares of pixels that are given (default: 4)")
      ->check(CLI::Range(2, 64));
  app.add_option("--time", o.time, "stroke, denoise: noise that is added first (default: 5.38, 0.5)")
      ->check(CLI::PositiveNumber);
  app.add_option("--class", o.of_class, "Class of the results, of a model of --classes (default: any)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--seed", o.seed, "Seed of the noise")->capture_default_str();
  app.add_option("--zoom", o.zoom, "Side of a pixel on the sheet")
      ->check(CLI::Range(1, 32))
      ->capture_default_str();
  app.add_option("--out", o.out, "PNG file to write")->capture_default_str();
  add_device_options(app, o.device, o.threads);
  if (auto const status = parse(app,
                                {"--model demo/model.safetensors --task inpaint",
                                 "--task super-resolution --factor 2 --count 8 --out large.png"},
                                argc, argv))
    return status;
  if (o.factor == 0) o.factor = 4;
  if (o.time == 0) o.time = o.task == "stroke" ? 5.38 : 0.5;
  return std::nullopt;
}

/// Images first … first + count − 1 of the data, (n, h, w, c).
Host originals(EditOptions const& o, Recipe r, Shape const& one) {
  if (!o.data.empty()) {
    r.images = o.data == "fashion-mnist" ? std::string{fashion_mnist} : o.data;
    r.data = kind_of_images(r.images);
  }
  r.classes = 0;
  if (r.images == fashion_mnist) r.images = test_images_of(r.images);
  auto const set =
      r.data == "cifar-10" ? read_cifar10_folder(r.images, Cifar10Split::test) : images_of(r, {});
  if (Shape{set.height, set.width, set.channels} != one)
    fail<dataset_error>(r.images, "size of the images", Shape{set.height, set.width, set.channels}.text(),
                        one.text() + ", as the model's", "Name images of that size (--data).");
  if (o.first + o.count > set.count)
    fail<config_error>("--first", "images", to_text(o.first) + " to " + to_text(o.first + o.count - 1),
                       "0 to " + to_text(set.count - 1));
  return image_batch(set, o.first, o.count);
}

/// (1, h, w, 1): 1 in the middle half of height and width, or where a picture is white.
Host mask_of(EditOptions const& o, Shape const& one) {
  auto const h = one[0], w = one[1];
  Host mask{{1, h, w, 1}, 0.0F};
  if (o.mask.empty()) {
    for (Index i = 0; i < h * w; ++i)
      mask.mutable_data()[i] =
          i / w >= h / 4 && i / w < h - h / 4 && i % w >= w / 4 && i % w < w - w / 4 ? 1.0F : 0.0F;
    return mask;
  }
  auto const image = read_png(o.mask);
  if (image.height != h || image.width != w)
    fail<config_error>(o.mask.string(), "size of the mask",
                       to_text(image.height) + " × " + to_text(image.width),
                       to_text(h) + " × " + to_text(w) + ", as the images");
  for (Index i = 0; i < h * w; ++i)
    mask.mutable_data()[i] = image.pixels[static_cast<std::size_t>(i * image.channels)] > 127 ? 1.0F : 0.0F;
  return mask;
}

struct Edited {
  Host given;    // (n, …)
  Host results;  // (n · results, …)
};

/// The times of the task's evaluations.
std::vector<double> times_of_task(EditOptions const& o, NoiseProcess auto const& process) {
  if (o.task == "interpolate") return {process.range().largest};
  if (o.task == "denoise") return {o.time};
  if (o.task == "stroke") return {o.time, o.time * 2.24 / 5.38};
  return editing_times(process, o.points);
}

/// x with the coordinates that are generated set to 0.
Host only_known(Host const& x, auto const& transform, Index known) {
  auto y = transform.forward(x).clone();  // (n, …, k)
  for (Index i = 0; i < y.count(); ++i)
    if (i % y.shape().back() >= known) y.mutable_data()[i] = 0;
  return transform.inverse(y);
}

/// The class that is asked for, or none, of `count` results.
Condition<Host> condition_of_results(EditOptions const& o, Recipe const& r, Index count) {
  if (o.of_class && *o.of_class >= r.classes)
    fail<config_error>(
        o.model.string(), "--class", to_text(*o.of_class),
        r.classes == 0 ? "a model that was trained with --classes" : "0 to " + to_text(r.classes - 1));
  if (r.classes > 0 && !o.of_class && !r.guided())
    fail<config_error>(o.model.string(), "--class", "none", "a class, which this model always was told");
  auto const condition = condition_of(r, count, 1, o.of_class.value_or(-1));
  return r.classes > 0 && !o.of_class ? condition.null() : condition;
}

/// Calls the task's function with f and θ on the device of X.
template <class X>
Edited edited(EditOptions const& o, auto const& f, auto const& theta, Host const& x,
              Condition<Host> const& condition) {
  auto const there = [](Host const& numbers) { return to<typename X::Backend>(numbers); };
  auto const settings = EditSettings{
      .results = o.results, .seed = o.seed, .times = times_of_task(o, f.process()), .condition = condition};
  if (o.task == "inpaint") {
    auto const mask = mask_of(o, f.network().data_shape());
    return {Host(x * (1.0 - mask) - mask), to<Cpu>(inpaint(f, theta, there(x), there(mask), settings))};
  }
  if (o.task == "colorize") {
    if (x.shape().back() != 3)
      fail<config_error>("--task", "colorize", "images of " + to_text(x.shape().back()) + " channel",
                         "a model of colour images");
    auto const grey = only_known(x, luminance_transform(), 1);
    Host const seen =
        linear(linear(x, Host{{3, 1}, std::vector{0.2989F, 0.5870F, 0.1140F}}), Host{{1, 3}, 1.0F});
    return {seen, to<Cpu>(colorize(f, theta, there(grey), settings))};
  }
  if (o.task == "denoise") {
    auto const z = normal<Host>(x.shape().with(0, x.shape()[0] * o.results), Key{o.seed});
    Host many{z.shape()};
    auto const size = f.network().data_shape().count();
    for (Index i = 0; i < z.shape()[0]; ++i)
      std::copy_n(x.data() + i / o.results * size, size, many.mutable_data() + i * size);
    Host const noisy = many + o.time * z;
    Host first{x.shape()};
    for (Index i = 0; i < x.shape()[0]; ++i)
      std::copy_n(noisy.data() + i * o.results * size, size, first.mutable_data() + i * size);
    return {first, to<Cpu>(denoise(f, theta.parameters(), there(noisy), o.time, to_numbers<X>(condition)))};
  }
  auto const transform = patch_mean_transform(o.factor, x.shape().back());
  auto const coarse = only_known(x, transform, x.shape().back());
  if (o.task == "stroke")
    return {coarse,
            to<Cpu>(stroke_guided(
                f, theta, there(coarse),
                {.results = o.results, .seed = o.seed, .times = settings.times, .condition = condition}))};
  Host const known = transform.forward(x);  // (n, h / p, w / p, p p c)
  Host const small = slice(known, 0, x.shape().back()) * (1.0 / static_cast<double>(o.factor));
  return {coarse, to<Cpu>(super_resolve(f, theta, there(small), o.factor, settings))};
}

/// Rows of count images between two noises each.
template <class X>
Host interpolated(EditOptions const& o, auto const& f, auto const& theta, Condition<Host> const& condition) {
  auto const one = f.network().data_shape();
  auto const columns = o.results + 2;
  Host noise{one.samples(o.count * columns)};
  for (Index row = 0; row < o.count; ++row) {
    auto const ends = normal<Host>(one.samples(2), Key{o.seed}, {0, static_cast<std::uint32_t>(2 * row)});
    auto const between = slerp(ends.view(0, one.samples(1)), ends.view(one.count(), one.samples(1)), columns);
    std::copy_n(between.data(), between.count(), noise.mutable_data() + row * between.count());
  }
  return to<Cpu>(
      sample(f, theta, OneStep{}, {.count = o.count * columns, .condition = condition, .noise = noise}));
}

/// Rows of given, results, original.
Host rows_of(Edited const& e, Host const& x, Index results) {
  auto const n = x.shape()[0], size = x.count() / n;
  Host all{x.shape().with(0, n * (results + 2))};
  auto* to = all.mutable_data();
  for (Index i = 0; i < n; ++i) {
    to = std::copy_n(e.given.data() + i * size, size, to);
    to = std::copy_n(e.results.data() + i * results * size, results * size, to);
    to = std::copy_n(x.data() + i * size, size, to);
  }
  return all;
}

template <class X>
int edit_with(EditOptions const& o, auto const& model, Recipe const& recipe) {
  auto const& f = model.f;
  auto const theta = PreparedParameters{to<typename X::Backend>(model.theta)};
  auto const rows = [&] {
    if (o.task == "interpolate")
      return interpolated<X>(o, f, theta, condition_of_results(o, recipe, o.count * (o.results + 2)));
    auto const x = originals(o, recipe, f.network().data_shape());
    auto const condition = condition_of_results(o, recipe, o.count * o.results);
    return rows_of(edited<X>(o, f, theta, x, condition), x, o.results);
  }();
  auto const times = times_of_task(o, f.process());
  write_png(o.out, sheet(rows, o.results + 2, o.zoom),
            Provenance{o.model, o.seed, static_cast<Index>(times.size()), times}.texts());
  std::printf("%s: %s rows, %s\n", o.out.c_str(), grouped(o.count).c_str(),
              o.task == "interpolate"
                  ? "from one noise to another"
                  : (grouped(o.results) + " results between what was given and the original").c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  EditOptions options;
  if (auto const status = parse_edit_options(options, argc, argv)) return *status;
  return on_device(options.device, [&]<class X>() {
    if (options.threads > 0) set_threads(options.threads);
    auto const file = CheckpointFile{options.model};
    auto const recipe = to_recipe(file.settings(), options.model.string());
    if (recipe.method == "denoising")
      fail<config_error>(options.model.string(), "model", "a denoiser", "a consistency function",
                         "Distill it (cifar10_distill), or train one without a teacher.");
    return cifar10::choose(recipe, [&]<class Subject>() {
      return edit_with<X>(options, load_model<ConsistencyFunction<typename Subject::Network>>(file), recipe);
    });
  });
} catch (std::exception const& failure) {
  return failed("edit", argc, argv, failure);
}
