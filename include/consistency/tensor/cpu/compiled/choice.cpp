// SPDX-License-Identifier: MIT
// consistency::compiled chooses, once, whose kernels a program runs. This unit is compiled for any processor
// of its kind, or, where the core is for one instruction set alone, for that one.
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

#include <consistency/core/error.hpp>
#include <consistency/tensor/compiled.hpp>

namespace consistency::cpu {

using compiled::Entry;

inline namespace CONSISTENCY_INSTRUCTIONS {
Entry const* entries(float);
Entry const* entries(double);
}  // namespace CONSISTENCY_INSTRUCTIONS

#ifdef CONSISTENCY_CHOOSES
namespace avx2 {
Entry const* entries(float);
Entry const* entries(double);
}  // namespace avx2
namespace avx512 {
Entry const* entries(float);
Entry const* entries(double);
}  // namespace avx512
#endif

namespace {

struct Set {
  std::string_view name, text;
  bool runs;  ///< on this processor
  Entry const* (*floats)(float);
  Entry const* (*doubles)(double);
};

/// What this core holds, the narrowest first.
auto const& sets() {
  static Set const all[] = {
      {CONSISTENCY_DETAIL_TEXT(CONSISTENCY_INSTRUCTIONS), CONSISTENCY_INSTRUCTIONS_TEXT, true, &entries,
       &entries},
#ifdef CONSISTENCY_CHOOSES
      {"avx2", "AVX2 + FMA", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), &avx2::entries,
       &avx2::entries},
      {"avx512", "AVX-512",
       __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"),
       &avx512::entries, &avx512::entries},
#endif
  };
  return all;
}

std::string names(bool all) {
  std::string list;
  for (auto const& set : sets())
    if (all || set.runs) list += (list.empty() ? "" : ", ") + std::string{set.name};
  return list;
}

Set const& choose() {
  auto const* const wanted = std::getenv("CONSISTENCY_INSTRUCTIONS");
  if (wanted == nullptr || *wanted == '\0')
    return *std::find_if(std::rbegin(sets()), std::rend(sets()), [](Set const& set) { return set.runs; });
  auto const* const found =
      std::find_if(std::begin(sets()), std::end(sets()), [&](Set const& set) { return set.name == wanted; });
  if (found != std::end(sets()) && found->runs) return *found;
  fail<config_error>("CONSISTENCY_INSTRUCTIONS, a variable of the environment",
                     found == std::end(sets()) ? "instruction set that consistency::compiled lacks"
                                               : "instruction set that this processor lacks",
                     printable(wanted), "one of " + names(found == std::end(sets())),
                     "Without the variable the widest of these is taken: " + names(false) + ".");
}

Set const& chosen() {
  static Set const& set = choose();
  return set;
}

void check(std::type_info const* list) {
  if (list == nullptr || compiled::list() == nullptr || *list == *compiled::list()) return;
  fail<config_error>("consistency::compiled", "list of kernels", "that of other headers",
                     "that of the headers which this program includes",
                     "Build and install consistency again, so that library and headers are of one state.");
}

}  // namespace

std::string_view instruction_set() {
  static std::string const text = std::string{chosen().text} + ", chosen from " + names(true);
  return text;
}

namespace compiled {

Entry const* entries(float, std::type_info const* list) {
  static Entry const* const all = (check(list), chosen().floats(0));
  return all;
}
Entry const* entries(double, std::type_info const* list) {
  static Entry const* const all = (check(list), chosen().doubles(0));
  return all;
}

}  // namespace compiled

}  // namespace consistency::cpu
