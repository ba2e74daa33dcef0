#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <doctest/doctest.h>
#include <stdlib.h>

#include <consistency/core/error.hpp>
#include <consistency/io/bytes.hpp>
#include <consistency/io/file.hpp>

namespace consistency::test {

/// A folder of one test's own, removed with all it holds.
class TempFolder {
 public:
  TempFolder() {
    auto name = (std::filesystem::temp_directory_path() / "consistency-io-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
    REQUIRE_FALSE(path_.empty());
  }
  TempFolder(TempFolder const&) = delete;
  TempFolder& operator=(TempFolder const&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::filesystem::path const& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  std::size_t files() const {
    std::size_t n = 0;
    for ([[maybe_unused]] auto const& entry : std::filesystem::directory_iterator{path_}) ++n;
    return n;
  }

 private:
  std::filesystem::path path_;
};

inline Bytes bytes_of(std::string_view text) {
  auto const view = text_bytes(text);
  return {view.begin(), view.end()};
}
inline Bytes bytes_of(std::initializer_list<int> values) {
  Bytes bytes;
  for (auto const value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}
inline Bytes joined(Bytes first, ByteView second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// Runs `action`, which must throw the error type of Code with all of `words` in its message.
template <ErrorCode Code, class Action>
void check_refused(Action const& action, std::initializer_list<std::string_view> words) {
  std::string message = "nothing was thrown";
  auto typed = false;
  try {
    action();
  } catch (typed_error<Code> const& refusal) {
    message = refusal.what();
    typed = refusal.code() == Code;
  } catch (std::exception const& other) {
    message = std::string{"another error: "} + other.what();
  }
  CAPTURE(message);
  CHECK(typed);
  for (auto const word : words) {
    CAPTURE(word);
    CHECK(message.find(word) != std::string::npos);
  }
}

}  // namespace consistency::test
