// SPDX-License-Identifier: MIT
// usage: unload LIBRARY MODEL: loads consistency::c as a plugin, draws with two threads, unloads it; nothing
// of it is left, and it can be loaded again.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <dlfcn.h>

#include <consistency/c.h>

namespace {

template <class Function>
Function* function(void* library, Function*, char const* name) {
  return reinterpret_cast<Function*>(::dlsym(library, name));
}
#define FUNCTION(name) function(library, static_cast<decltype(name)*>(nullptr), #name)

bool draws(void* library, char const* path) {
  consistency_model model{};
  consistency_session session{};
  consistency_session_settings settings;
  FUNCTION(consistency_session_settings_init)(&settings);
  settings.threads = 2;
  std::vector<float> samples(784);
  return FUNCTION(consistency_model_load)(path, &model) == CONSISTENCY_OK &&
         FUNCTION(consistency_session_new)(model, &settings, &session) == CONSISTENCY_OK &&
         FUNCTION(consistency_draw)(session, nullptr, samples.data(), samples.size()) == CONSISTENCY_OK &&
         FUNCTION(consistency_session_free)(session) == CONSISTENCY_OK &&
         FUNCTION(consistency_model_free)(model) == CONSISTENCY_OK;
}

bool is_mapped(std::string const& name) {
  std::ifstream maps{"/proc/self/maps"};
  std::string const all{std::istreambuf_iterator<char>{maps}, {}};
  return all.find(name) != std::string::npos;
}

long threads() {
  auto const tasks = std::filesystem::directory_iterator{"/proc/self/task"};
  return std::distance(begin(tasks), end(tasks));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto const name = std::filesystem::path{argv[1]}.filename().string();
  for (int i = 0; i < 3; ++i) {
    auto* const library = ::dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return std::fprintf(stderr, "%s\n", ::dlerror()), 1;
    if (!is_mapped(name)) return std::fprintf(stderr, "%s was not there\n", argv[1]), 1;
    if (!draws(library, argv[2])) return std::fprintf(stderr, "%s\n", FUNCTION(consistency_last_error)()), 1;
    ::dlclose(library);
    if (is_mapped(name) || threads() != 1)
      return std::fprintf(stderr, "%s is still there, with %ld threads\n", argv[1], threads()), 1;
  }
  return std::puts("unloaded three times"), 0;
}
