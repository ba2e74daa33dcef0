// SPDX-License-Identifier: MIT
// usage: without_exceptions MODEL: draws from a program compiled with -fno-exceptions -fno-rtti, where errors
// are values: a status of each call, and its text.
#include <cstdio>
#include <cstring>
#include <vector>

#include <consistency/c.h>

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "compile this with -fno-exceptions -fno-rtti"
#endif

namespace {

int failed(char const* what) {
  std::fprintf(stderr, "%s: %s\n", what, consistency_last_error());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  consistency_model model{};
  if (consistency_model_load("no such file", &model) != CONSISTENCY_IO ||
      std::strstr(consistency_last_error(), "no such file") == nullptr)
    return failed("a file that is missing");
  if (consistency_model_load(argv[1], &model) != CONSISTENCY_OK) return failed("load");
  consistency_model_info info{};
  if (consistency_model_describe(model, &info) != CONSISTENCY_OK) return failed("describe");
  consistency_session session{};
  if (consistency_session_new(model, nullptr, &session) != CONSISTENCY_OK) return failed("session");
  std::vector<float> once(info.sample_numbers), again(info.sample_numbers);
  if (consistency_draw(session, nullptr, once.data(), once.size() - 1) != CONSISTENCY_SHAPE)
    return failed("too short a buffer");
  if (consistency_draw(session, nullptr, once.data(), once.size()) != CONSISTENCY_OK ||
      consistency_draw(session, nullptr, again.data(), again.size()) != CONSISTENCY_OK)
    return failed("draw");
  consistency_session_free(session);
  consistency_model_free(model);
  auto const equal = std::memcmp(once.data(), again.data(), once.size() * sizeof(float)) == 0;
  return equal && once != std::vector<float>(once.size()) ? 0 : failed("samples of one seed");
}
