// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <consistency/checkpoint/checkpoint.hpp>
#include <consistency/checkpoint/model_description.hpp>

namespace consistency {

/// A function f, a ConsistencyFunction or Denoiser, with its parameters θ: all that samples are drawn from.
template <class F>
struct Model {
  F f;
  Parameters<Tensor<float>> theta;
  DataDescription data{};
};
template <class F>
Model(F, Parameters<Tensor<float>>) -> Model<F>;
template <class F>
Model(F, Parameters<Tensor<float>>, DataDescription) -> Model<F>;

namespace detail {

/// The description in a file, taken apart.
class DescribedFile {
 public:
  /// Throws mismatch_error for a file without a description, and format_error for one that is damaged or of a
  /// later version.
  explicit DescribedFile(CheckpointFile const& file)
      : file_{file}, reader_{file.name(), file.library_version()} {
    auto const& text = file.model();
    if (text.empty())
      fail<mismatch_error>(
          file.name(), "a file that does not say its model", "numbers alone", "a file of save_model",
          "Build its network and read it by load_parameters; of a file of a training program, "
          "`consistency convert FILE` writes it in.");
    all_ = parsed_description(text);
    if (!all_.is_object())
      fail<format_error>(file.name(), "model", "'" + printable(text) + "'", "a JSON object");
    auto const found = all_.value("version", nlohmann::json{});
    if (!found.is_number_unsigned() || found < 1 || found > description_version)
      reader_.fail_value("version", found, "at most " + number_text(description_version));
    kind_ = model_kind(text_of("function", all_), kind_of("network"), kind_of("parameterization"),
                       kind_of("process"));
  }

  std::string const& kind() const noexcept { return kind_; }
  template <class F>
  bool is() const {
    return kind_ == model_kind<F>();
  }
  [[noreturn]] void fail_kind(std::string const& expected) const {
    fail<mismatch_error>(file_.name(), "kind of model", kind_, expected,
                         "Load it as what it is, or as one of a std::variant of kinds.");
  }

  /// Throws format_error for settings that no F has, or that are another model's than the numbers' are.
  template <class F>
  Model<F> load(std::string_view arena) const {
    auto f = function<F>();
    file_.require_process(f.process());
    auto theta = file_.parameters(f.network().parameters(), arena);
    auto data = reader_.read<DataDescription>(all_.value("data", nlohmann::json::object()), "data");
    checked([&] {
      auto const& network = f.network();
      data.data.check("data", network.data_shape().back());
      if constexpr (requires { network.settings().condition.features; })
        data.condition.check("condition", network.settings().condition.features);
    });
    return {std::move(f), std::move(theta), std::move(data)};
  }

 private:
  template <class F>
  F function() const {
    using Parts = PartsOf<F>;
    return checked([&] {
      return F{part<typename Parts::Network>("network"),
               part<typename Parts::Parameterization>("parameterization"),
               part<typename Parts::NoiseProcess>("process")};
    });
  }
  template <class T>
  T part(char const* key) const {
    return T{reader_.read<T>(all_[key], key)};
  }
  /// Settings that fit each other were what made the file: others make it a damaged one.
  template <class Work>
  auto checked(Work const& work) const -> decltype(work()) {
    try {
      return work();
    } catch (config_error const& failure) {
      auto report = failure.report();
      report.where = file_.name() + ": model: " + report.where;
      throw format_error{report};
    }
  }
  std::string text_of(char const* key, nlohmann::json const& from) const {
    auto const found = from.is_object() ? from.value(key, nlohmann::json{}) : nlohmann::json{};
    if (!found.is_string()) reader_.fail_value(key, found, "the name of a type");
    return printable(found.get_ref<std::string const&>());
  }
  std::string kind_of(char const* key) const {
    return text_of("kind", all_.value(key, nlohmann::json::object()));
  }

  CheckpointFile const& file_;
  DescriptionReader reader_;
  nlohmann::json all_;
  std::string kind_;
};

template <class F>
struct LoadModel {
  static Model<F> from(DescribedFile const& file, std::string_view arena) {
    if (!file.is<F>()) file.fail_kind(model_kind<F>());
    return file.load<F>(arena);
  }
};
template <class... F>
struct LoadModel<std::variant<F...>> {
  using Result = std::variant<Model<F>...>;
  static Result from(DescribedFile const& file, std::string_view arena) {
    std::optional<Result> model;
    static_cast<void>(((file.is<F>() && (model.emplace(file.load<F>(arena)), true)) || ...));
    if (model) return std::move(*model);
    std::string all;
    ((all += (all.empty() ? "" : "; or ") + model_kind<F>()), ...);
    file.fail_kind(all);
  }
};

}  // namespace detail

/// Writes a model as one file that says all that is needed to build it and draw: the kind and settings of
/// network, parameterization and process, of the data, and of the library. `settings` is what else the
/// program wants to keep. Throws config_error for a Normalizer of other data, numeric_error for a number that
/// is not finite, and io_error.
template <class F>
void save_model(std::filesystem::path const& path, Model<F> const& model, Index step = 0,
                Metadata const& settings = {}, Key key = {}) {
  auto const& [f, theta, data] = model;
  data.data.check("save_model", f.network().data_shape().back());
  if constexpr (requires { f.network().settings().condition.features; })
    data.condition.check("save_model", f.network().settings().condition.features);
  save_parameters(path, theta, "averaged", step, settings, key, f.process().text(), describe_model(f, data));
}

/// The model in a file of `save_model`, or in a checkpoint that describes it: a Model<F>, or, of a
/// std::variant<F...>, a std::variant<Model<F>...> that holds what the file does. `arena`: which numbers of a
/// checkpoint. Throws mismatch_error for another kind of model than asked for, or a file that does not say
/// it, format_error for settings that cannot be or are of a later version, and as CheckpointFile does.
template <class F>
auto load_model(CheckpointFile const& file, std::string_view arena = "averaged") {
  return detail::LoadModel<F>::from(detail::DescribedFile{file}, arena);
}
template <class F>
auto load_model(std::filesystem::path const& path, std::string_view arena = "averaged") {
  return load_model<F>(CheckpointFile{path}, arena);
}

}  // namespace consistency
