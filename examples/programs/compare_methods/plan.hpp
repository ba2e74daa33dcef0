// SPDX-License-Identifier: MIT
#pragma once

// What is compared on what, for how long: plan.json of a comparison's folder.

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <consistency/consistency.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/safetensors_header.hpp>

#include "../support/data_set.hpp"

namespace compare {

using namespace consistency;

struct Plan {
  std::string data = "mixture";                 ///< or checkerboard, rings, fashion-mnist
  std::string images = example::fashion_mnist;  ///< file, for fashion-mnist
  Index size = 14;                              ///< side of the images
  std::string perceptual;  ///< file of a CIFAR-10 ResNet-20, whose features the perceptual metric compares
  Index batch = 256;
  std::uint64_t seed = 0;
  Index teacher_steps = 0, steps = 0;  ///< of the teacher, of each student (K)
  double learning_rate = 1e-3;
  double clip = 1;
  double ema = 0.99;        ///< of the averaged weights, that samples are drawn with
  Index measurements = 10;  ///< along the curve of each student
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Plan, data, images, size, perceptual, batch, seed, teacher_steps, steps,
                                 learning_rate, clip, ema, measurements)

  static Plan for_data(std::string const& data) {
    Plan plan;
    plan.data = data;
    if (plan.pictures()) {
      plan.batch = 64;
      plan.ema = 0.995;
    }
    return plan;
  }

  bool pictures() const { return data == "fashion-mnist"; }
  std::string text() const { return nlohmann::json(*this).dump(2) + "\n"; }

  /// Throws io_error, or format_error where the file is no plan.
  static Plan load(std::filesystem::path const& path) {
    auto const bytes = read_file(path);
    auto const fail_with = [&](std::string found) {
      fail<format_error>(path.string(), "not a plan", std::move(found), "a file of compare_methods",
                         "Start a new comparison in another --out.");
    };
    Plan plan;
    try {
      auto const* const text = reinterpret_cast<char const*>(bytes.data());
      plan = nlohmann::json::parse(text, text + bytes.size()).get<Plan>();
    } catch (nlohmann::json::exception const& failure) {
      fail_with(printable(failure.what()));
    }
    for (auto const& text : {plan.data, plan.images, plan.perceptual})  // they would reach a terminal
      if (consistency::detail::has_control_bytes(text)) fail_with("'" + printable(text) + "'");
    for (auto const count : {plan.size, plan.batch, plan.teacher_steps, plan.steps, plan.measurements})
      if (count < 0 || count > Index{1} << 31) fail_with(number_text(count));  // products of two must fit
    return plan;
  }
  void save(std::filesystem::path const& path) const { write_file_atomically(path, text_bytes(text())); }
};

/// The optimizer of every student, at a constant rate; the teacher's rate falls to 0 over its last steps.
inline RAdam student_optimizer(Plan const& plan) {
  return {.learning_rate = plan.learning_rate, .beta2 = 0.99};
}
inline RAdam teacher_optimizer(Plan const& plan) {
  auto optimizer = student_optimizer(plan);
  optimizer.schedule = {.decay_from = plan.teacher_steps / 2, .decay_to = plan.teacher_steps};
  return optimizer;
}

}  // namespace compare
