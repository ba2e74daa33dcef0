// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include <consistency/core/bytes.hpp>

namespace consistency {

/// A well-known kind of file that is often found where another kind belongs.
struct Signature {
  std::string_view name;    ///< "a zip archive"; empty when nothing was recognised
  std::string_view advice;  ///< how to get the right file
};

/// Names what `bytes` really are, from their first few hundred bytes.
inline Signature recognise(ByteView bytes) {
  constexpr auto python = std::string_view{"Python wrote it: export it in the format that is read here."};
  auto const text = bytes_text(bytes);
  auto const first_mark = text.substr(0, 64).find_first_not_of(" \t\r\n");
  auto const opening = first_mark == std::string_view::npos ? text.substr(0, 0) : text.substr(first_mark);
  for (std::string_view const tag : {"<!DOCTYPE", "<!doctype", "<html", "<HTML"})
    if (opening.starts_with(tag)) return {"an HTML page", "The download went wrong: fetch the file again."};
  if (text.starts_with("version https://git-lfs"))
    return {"a Git LFS pointer", "Fetch the file it stands for with `git lfs pull`."};
  if (text.starts_with("\x1f\x8b")) return {"gzip data", "Unpack it first."};
  if (text.starts_with("PK")) return {"a zip archive", python};
  // Its protocol, 2 to 5, and an opcode; a number in the first bytes of another file may begin alike.
  if (text.size() > 2 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5 && text[2] != 0)
    return {"a Python pickle", python};
  if (text.size() > 262 && text.substr(257, 5) == "ustar") return {"a tar archive", "Unpack it first."};
  return {};
}

}  // namespace consistency
