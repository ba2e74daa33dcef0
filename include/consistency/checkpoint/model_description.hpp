// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <consistency/checkpoint/described.hpp>
#include <consistency/core/version.hpp>
#include <consistency/io/safetensors_header.hpp>

namespace consistency {

/// What an application must know of a model beside f and θ.
struct DataDescription {
  Normalizer data{};                  ///< from the data's numbers to the model's
  Normalizer condition{};             ///< the same of the numbers of a condition
  std::vector<std::string> labels{};  ///< names of the classes 0, 1, …; without them, nothing is said

  friend bool operator==(DataDescription const&, DataDescription const&) = default;
};
template <>
struct Described<DataDescription> {
  static void fields(auto& s, auto const& visit) {
    auto& [data, condition, labels] = s;
    visit("data", data), visit("condition", condition), visit("labels", labels);
  }
};

namespace detail {

inline constexpr std::int64_t description_version = 1;

/// The description of a file; discarded where it is none, or longer than any is.
inline nlohmann::json parsed_description(std::string const& text) {
  constexpr auto longest = std::size_t{1} << 16U;
  if (text.size() > longest) return nlohmann::json::value_t::discarded;
  return nlohmann::json::parse(text, nullptr, false);
}

template <class T>
concept HasFields = requires(T& t) { Described<T>::fields(t, [](char const*, auto&) {}); };

template <class F>
struct PartsOf;
template <template <class, class, class> class F, class N, class P, class Process>
struct PartsOf<F<N, P, Process>> {
  using Network = N;
  using Parameterization = P;
  using NoiseProcess = Process;
};

/// What a network is built from, and what a process or parameterization is.
template <class T>
decltype(auto) settings_of(T const& t) {
  if constexpr (requires { t.settings(); })
    return (t.settings());
  else
    return (t);
}
template <class T>
using SettingsOf = std::remove_cvref_t<decltype(settings_of(std::declval<T const&>()))>;

template <class T>
nlohmann::json to_json(T const& value);
template <class Of, class Settings>
nlohmann::json fields_to_json(Settings const& settings) {
  auto all = nlohmann::json::object();
  Described<Of>::fields(settings, [&](char const* key, auto const& field) { all[key] = to_json(field); });
  return all;
}
template <class T>
nlohmann::json to_json(T const& value) {
  if constexpr (std::is_enum_v<T>) {
    for (auto const& [of, name] : Described<T>::names)
      if (of == value) return name;
    return nullptr;
  } else if constexpr (std::is_same_v<T, Shape>) {
    return std::vector<Index>(value.begin(), value.end());
  } else if constexpr (HasFields<T>) {
    return fields_to_json<T>(value);
  } else {
    return value;
  }
}
template <class T>
nlohmann::json named_json(T const& part) {
  auto all = fields_to_json<T>(settings_of(part));
  all["kind"] = Described<T>::name;
  return all;
}

/// Reads values out of a description that a file may lie in.
class DescriptionReader {
 public:
  DescriptionReader(std::string file, std::string library)
      : file_{std::move(file)}, library_{std::move(library)} {}

  /// The settings that a T is built from; one that is not said has its default. Throws format_error for a
  /// value of another type, or a setting that is not known.
  template <class T>
  SettingsOf<T> read(nlohmann::json const& from, std::string const& path) const {
    SettingsOf<T> settings{};
    fields<T>(from, path, settings);
    return settings;
  }
  template <class Of, class Settings>
  void fields(nlohmann::json const& from, std::string const& path, Settings& settings) const {
    if (!from.is_object()) fail_value(path, from, "an object");
    auto known = std::size_t{from.contains("kind") && !HasKind<Settings> ? 1U : 0U};
    Described<Of>::fields(settings, [&](char const* key, auto& field) {
      auto const at = from.find(key);
      if (at == from.end()) return;
      ++known;
      value(*at, path + "." + key, field);
    });
    if (known != from.size()) fail_unknown<Of>(from, path, settings);
  }
  [[noreturn]] void fail_value(std::string const& path, nlohmann::json const& found,
                               std::string const& expected) const {
    fail<format_error>(file_, "model, setting '" + path + "'", printable(found.dump(-1, ' ', true)), expected,
                       "The file was written by version " + printable(library_) +
                           " of the library, this is " + std::string{version} + ".");
  }

 private:
  /// Whether `kind` is a setting, not the name of the type.
  template <class Settings>
  static constexpr bool HasKind = requires(Settings const& s) { s.kind; };

  template <class T>
  void value(nlohmann::json const& from, std::string const& path, T& to) const {
    if constexpr (std::is_enum_v<T>) {
      std::string all;
      for (auto const& [of, name] : Described<T>::names) {
        if (from == name) {
          to = of;
          return;
        }
        all += (all.empty() ? "" : ", ") + std::string{name};
      }
      fail_value(path, from, all);
    } else if constexpr (std::is_same_v<T, Shape>) {
      std::vector<Index> extents;
      value(from, path, extents);
      if (extents.size() > Shape::max_rank) fail_value(path, from, "at most 4 extents");
      try {
        to = {};
        for (auto const extent : extents) to.push_back(extent);
      } catch (shape_error const&) {
        fail_value(path, from, "extents of 0 or more");
      }
    } else if constexpr (HasFields<T>) {
      fields<T>(from, path, to);
    } else if constexpr (std::is_same_v<T, bool>) {
      if (!from.is_boolean()) fail_value(path, from, "true or false");
      to = from.get<bool>();
    } else if constexpr (std::is_same_v<T, Index>) {
      if (!from.is_number_integer() || (from.is_number_unsigned() && from.get<std::uint64_t>() >> 63U != 0))
        fail_value(path, from, "a whole number");
      to = from.get<Index>();
    } else if constexpr (std::is_same_v<T, double>) {
      if (!from.is_number()) fail_value(path, from, "a number");
      to = from.get<double>();
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!from.is_string() || has_control_bytes(from.get_ref<std::string const&>()))
        fail_value(path, from, "text without control bytes");
      to = from.get<std::string>();
    } else {
      if (!from.is_array()) fail_value(path, from, "a list");
      to.clear();
      for (auto const& item : from) value(item, path + "[]", to.emplace_back());
    }
  }
  template <class Of, class Settings>
  [[noreturn]] void fail_unknown(nlohmann::json const& from, std::string const& path,
                                 Settings& settings) const {
    for (auto const& [key, found] : from.items()) {
      auto known = key == "kind";
      Described<Of>::fields(settings, [&](char const* name, auto&) { known = known || key == name; });
      if (!known) fail_value(path + "." + printable(key), found, "no such setting");
    }
    fail_value(path, from, "settings that are known");
  }

  std::string file_, library_;
};

/// "Denoiser of UNet, EdmPreconditioning, VarianceExploding": what a type of models is called in errors.
inline std::string model_kind(std::string_view function, std::string_view network,
                              std::string_view parameterization, std::string_view process) {
  return std::string{function}.append(" of ").append(network).append(", ").append(parameterization) + ", " +
         std::string{process};
}
template <class F>
std::string model_kind() {
  using Parts = PartsOf<F>;
  return model_kind(Described<F>::name, Described<typename Parts::Network>::name,
                    Described<typename Parts::Parameterization>::name,
                    Described<typename Parts::NoiseProcess>::name);
}

}  // namespace detail

/// The text by which a file says f and its data: JSON that `load_model` reads.
template <class F>
std::string describe_model(F const& f, DataDescription const& data = {}) {
  auto const all = nlohmann::json{{"version", detail::description_version},
                                  {"function", Described<F>::name},
                                  {"network", detail::named_json(f.network())},
                                  {"parameterization", detail::named_json(f.parameterization())},
                                  {"process", detail::named_json(f.process())},
                                  {"data", detail::to_json(data)}};
  return all.dump(-1, ' ', true);
}

}  // namespace consistency
