// SPDX-License-Identifier: MIT
// consistency::c: models, and what every call needs.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include <consistency/c/models.hpp>
#include <consistency/checkpoint/model_file.hpp>
#include <consistency/core/version.hpp>
#include <consistency/io/image.hpp>

namespace {

using namespace consistency;
using namespace consistency::c;

template <class Network>
std::uint64_t add_new(Network network, consistency_model_settings const& s) {
  auto const made = [&](auto f) {
    auto theta = f.initialize(Key{s.seed});
    return Models::all().add(
        std::make_unique<LoadedModel>(LoadedModel{std::move(f), PreparedParameters{std::move(theta)}, {}}));
  };
  return s.denoiser != 0 ? made(Denoiser{std::move(network)}) : made(ConsistencyFunction{std::move(network)});
}

}  // namespace

extern "C" {

char const* consistency_version(void) {
  static_assert(version.data()[version.size()] == '\0');
  return version.data();
}

char const* consistency_last_error(void) { return last_error.data(); }

char const* consistency_status_name(consistency_status status) {
  switch (status) {
    case CONSISTENCY_OK:
      return "CONSISTENCY_OK";
    case CONSISTENCY_CONFIG:
      return "CONSISTENCY_CONFIG";
    case CONSISTENCY_SHAPE:
      return "CONSISTENCY_SHAPE";
    case CONSISTENCY_IO:
      return "CONSISTENCY_IO";
    case CONSISTENCY_FORMAT:
      return "CONSISTENCY_FORMAT";
    case CONSISTENCY_INTEGRITY:
      return "CONSISTENCY_INTEGRITY";
    case CONSISTENCY_MISMATCH:
      return "CONSISTENCY_MISMATCH";
    case CONSISTENCY_DATASET:
      return "CONSISTENCY_DATASET";
    case CONSISTENCY_NUMERIC:
      return "CONSISTENCY_NUMERIC";
    case CONSISTENCY_RESOURCE:
      return "CONSISTENCY_RESOURCE";
    case CONSISTENCY_ARGUMENT:
      return "CONSISTENCY_ARGUMENT";
    case CONSISTENCY_HANDLE:
      return "CONSISTENCY_HANDLE";
    case CONSISTENCY_UNEXPECTED:
      return "CONSISTENCY_UNEXPECTED";
  }
  return "unknown";
}

consistency_status consistency_model_load(char const* path, consistency_model* model) {
  return status_of([&] {
    given(model, "consistency_model_load: a null pointer for the handle").id = 0;
    auto any =
        load_model<AnyFunction>(std::filesystem::path{&given(path, "consistency_model_load: no path")});
    model->id = std::visit(
        [](auto& loaded) {
          return Models::all().add(std::make_unique<LoadedModel>(LoadedModel{
              std::move(loaded.f), PreparedParameters{std::move(loaded.theta)}, std::move(loaded.data)}));
        },
        any);
  });
}

void consistency_model_settings_init(consistency_model_settings* settings) {
  if (settings == nullptr) return;
  *settings = {};
  settings->struct_size = sizeof *settings;
  settings->patch = 1;
  settings->heads = 1;
}

consistency_status consistency_model_new(consistency_model_settings const* settings,
                                         consistency_model* model) {
  return status_of([&] {
    given(model, "consistency_model_new: a null pointer for the handle").id = 0;
    static_cast<void>(given(settings, "consistency_model_new: no settings"));
    auto const s = settings_or(settings, consistency_model_settings_init);
    auto const numbers = [](std::int64_t const* data, std::size_t count) {
      auto const given = span_of(data, count);
      return std::vector<Index>(given.begin(), given.end());
    };
    if (s.rank == 1) {
      auto own = MlpSettings{.dimensions = s.shape[0], .condition = {.features = s.condition_numbers}};
      if (s.channels != 0) own.width = s.channels;
      if (s.blocks != 0) own.layers = s.blocks;
      model->id = add_new(Mlp{own}, s);
    } else if (s.rank == 3) {
      auto own = UNetSettings{.attention = numbers(s.attention, s.attention_count),
                              .heads = s.heads,
                              .patch = s.patch,
                              .condition = {.features = s.condition_numbers},
                              .image = {s.shape[0], s.shape[1], s.shape[2]}};
      if (s.channels != 0) own.channels = s.channels;
      if (s.blocks != 0) own.blocks = s.blocks;
      if (s.multiplier_count != 0) own.multipliers = numbers(s.multipliers, s.multiplier_count);
      model->id = add_new(UNet{own}, s);
    } else {
      throw InterfaceError{CONSISTENCY_CONFIG,
                           "consistency_model_new: found another rank, expected 1, vectors, or 3, images"};
    }
  });
}

consistency_status consistency_model_save(consistency_model model, char const* path) {
  return status_of([&] {
    auto const file = std::filesystem::path{&given(path, "consistency_model_save: no path")};
    auto const loaded = Models::Use{model.id};
    std::visit(
        [&](auto const& f) {
          save_model(file, Model{f, loaded->theta.parameters(), loaded->data});
        },
        loaded->f);
  });
}

consistency_status consistency_model_free(consistency_model model) {
  return status_of([&] {
    Models::all().remove(model.id);
    give_back();
  });
}

consistency_status consistency_model_describe(consistency_model model, consistency_model_info* info) {
  return status_of([&] {
    auto& to = given(info, "consistency_model_describe: a null pointer for the info");
    auto const loaded = Models::Use{model.id};
    std::visit(
        [&](auto const& f) {
          auto const shape = f.network().data_shape();
          to = {};
          to.rank = shape.rank();
          std::transform(shape.begin(), shape.end(), to.shape,
                         [](Index i) { return static_cast<std::size_t>(i); });
          to.sample_numbers = static_cast<std::size_t>(shape.count());
          to.condition_numbers = static_cast<std::size_t>(condition_of(f.network()));
          to.labels = loaded->data.labels.size();
          to.parameters = static_cast<std::size_t>(f.network().parameters().count());
          to.denoiser = f.kind == Kind::denoiser ? 1 : 0;
        },
        loaded->f);
  });
}

consistency_status consistency_model_label(consistency_model model, size_t i, char* text, size_t size) {
  return status_of([&] {
    if (size == 0)
      throw InterfaceError{CONSISTENCY_SHAPE, "consistency_model_label: found 0 bytes, expected 1 or more"};
    auto& to = given(text, "consistency_model_label: a null pointer for the text");
    auto const loaded = Models::Use{model.id};
    auto const& labels = loaded->data.labels;
    if (i >= labels.size())
      throw InterfaceError{CONSISTENCY_CONFIG,
                           "consistency_model_label: found a class that the file does not name"};
    auto const length = std::min(labels[i].size(), size - 1);
    std::copy_n(labels[i].data(), length, &to);
    text[length] = '\0';
  });
}

consistency_status consistency_to_bytes(float const* samples, size_t numbers, uint8_t* bytes) {
  return status_of([&] {
    auto const from = span_of(samples, numbers);
    if (numbers > 0) given(bytes, "consistency_to_bytes: a null pointer for the bytes");
    std::transform(from.begin(), from.end(), bytes, to_byte);
  });
}

}  // extern "C"
