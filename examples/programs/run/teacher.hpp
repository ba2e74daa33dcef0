// SPDX-License-Identifier: MIT
#pragma once

// The teacher of a distillation, from its file.

#include <optional>
#include <span>
#include <string>

#include <consistency/checkpoint/checkpoint.hpp>
#include <consistency/io/digest.hpp>
#include <consistency/io/torch_parameters.hpp>

#include "recipe.hpp"

namespace run {

/// The file of a run of a training program, or nothing where it is another program's. Throws as
/// CheckpointFile does for one that is damaged.
inline std::optional<CheckpointFile> own_file(std::string const& path) try {
  return CheckpointFile{path};
} catch (format_error const&) {
  return std::nullopt;
}

/// A student has the network of its teacher, but for dropout: a new recipe gets what the teacher's file says.
/// Throws config_error where no teacher is named, or one that is no denoiser.
inline void take_network_of_teacher(Recipe& r) {
  if (r.teacher.empty() && r.dry_run) return;
  if (r.teacher.empty())
    fail<config_error>(
        "distillation", "teacher", "none", "weights of a denoiser",
        "Train one with cifar10_train_edm and name its file: --teacher RUN/model.safetensors.");
  auto const file = own_file(r.teacher);
  if (!file) return;
  auto const teacher = as_built(to_recipe(file->settings(), r.teacher));
  if (teacher.method != "denoising")
    fail<config_error>(r.teacher, "method of the teacher", teacher.method, "denoising",
                       "Name the model of a run of cifar10_train_edm.");
  r.network = teacher.network, r.channels = teacher.channels, r.multipliers = teacher.multipliers;
  r.blocks = teacher.blocks, r.attention = teacher.attention, r.heads = teacher.heads;
  r.patch = teacher.patch, r.embedding = teacher.embedding, r.time_scale = teacher.time_scale;
  r.classes = teacher.classes, r.without_class = teacher.without_class;
  r.augmentation_labels = teacher.augmentation_labels;
}

/// The averaged weights of a run of `denoising`, or weights of the same network from EDM. A new recipe gets
/// their digest; a saved one is compared with it.
inline Parameters<Tensor<float>> read_teacher(Recipe& r, ParameterTable const& table) {
  if (r.teacher.empty() && r.dry_run) return Parameters<Tensor<float>>::initialized(table, Key{});
  auto const file = own_file(r.teacher);
  auto phi = file ? file->parameters(table, "averaged") : read_torch_parameters(r.teacher, table);
  auto const found = consistency::digest(std::as_bytes(std::as_const(phi).flat().values()));
  if (!r.teacher_digest.empty() && r.teacher_digest != found)
    fail<config_error>(r.teacher, "not the teacher this run began with", "digest " + found, r.teacher_digest,
                       "Put the original file back, or start a new run.");
  r.teacher_digest = found;
  return phi;
}

}  // namespace run
