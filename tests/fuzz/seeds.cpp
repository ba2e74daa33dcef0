// SPDX-License-Identifier: MIT
// Writes the corpus that the fuzzers begin with: whole files of this library's own making, and the files on
// which other readers of these formats were published to fail. usage: attack_seeds DIR
#include <string>
#include <vector>

#include "attack.hpp"
#include "formats.hpp"

using namespace consistency;
using namespace consistency::attack;

namespace {

/// A header of one tensor of bytes.
std::string one(std::string_view shape, std::string_view offsets, std::string_view name = "x") {
  return "{\"" + std::string{name} + "\":{\"dtype\":\"U8\",\"shape\":" + std::string{shape} +
         ",\"data_offsets\":" + std::string{offsets} + "}}";
}

std::string two(std::string_view second_offsets) {
  return R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":)" +
         std::string{second_offsets} + "}}";
}

/// A header that says it has `length` bytes.
std::string announced(std::uint64_t length) {
  Bytes bytes;
  append_little(bytes, length);
  return text_of(bytes) + "{}";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto const root = std::filesystem::path{argv[1]};
  auto const put = [&](std::string const& folder, std::string const& name, std::string_view bytes) {
    std::filesystem::create_directories(root / folder);
    spill(root / folder / name, bytes);
  };
  auto const four = std::string(4, '\0'), eight = std::string(8, '\0');

  put("safetensors", "whole", safetensors(two("[4,8]"), eight));
  put("safetensors", "metadata", safetensors(R"({"__metadata__":{"a":"b"}})"));
  put("safetensors", "no_values", safetensors(one("[0,9223372036854775807]", "[0,0]")));
  put("safetensors", "shape_wraps_to_0", safetensors(one("[4294967296,4294967296]", "[0,0]")));
  put("safetensors", "shape_wraps_to_4", safetensors(one("[4611686018427387905,4]", "[0,4]"), four));
  put("safetensors", "shape_wraps_by_2", safetensors(one("[2,18446744073709551614]", "[0,4]"), four));
  put("safetensors", "header_length_wraps", announced(~std::uint64_t{0} - 4));
  put("safetensors", "header_length_2_63", announced(std::uint64_t{1} << 63U));
  put("safetensors", "header_longer_than_file", announced(100));
  put("safetensors", "overlap", safetensors(two("[2,6]"), eight));
  put("safetensors", "shared", safetensors(two("[0,4]"), four));
  put("safetensors", "hole", safetensors(two("[8,12]"), std::string(12, '\0')));
  put("safetensors", "offset_negative", safetensors(one("[4]", "[-1,3]"), four));
  put("safetensors", "offset_fraction", safetensors(one("[4]", "[0,4.0]"), four));
  put("safetensors", "offset_1e400", safetensors(one("[4]", "[0,1e400]"), four));
  put("safetensors", "offsets_backwards", safetensors(one("[4]", "[4,0]"), four));
  put("safetensors", "beyond_the_file", safetensors(one("[4000]", "[0,4000]"), four));
  put("safetensors", "trailing_zip", safetensors(one("[4]", "[0,4]"), four + "PK\3\4"));
  put("safetensors", "twice", safetensors(R"({"x":{},"x":{}})"));
  put("safetensors", "deep", safetensors(R"({"x":{"shape":)" + std::string(200, '[')));
  put("safetensors", "name_not_utf8", safetensors(one("[4]", "[0,4]", "\xff\xfe"), four));
  put("safetensors", "name_with_0", safetensors(one("[4]", "[0,4]", "a\\u0000"), four));
  put("safetensors", "git_lfs_pointer",
      "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
  put("safetensors", "html", "<!DOCTYPE html><html></html>");
  put("safetensors", "zip", "PK\3\4" + std::string(30, '\0'));
  put("safetensors", "pickle", std::string{"\x80\x02}q\0.", 6});

  auto const file = std::filesystem::temp_directory_path() / "attack_seed";
  auto const tiny = tiny_network().parameters();
  save_parameters(file, Parameters<X>{tiny}, "averaged", 5, {{"name", "value"}});
  auto const saved = slurp(file);
  std::filesystem::remove(file);
  auto const header = static_cast<std::size_t>(load_little<std::uint64_t>(text_bytes(saved)));
  put("checkpoint", "parameters", saved.substr(8, header) + "\n" + saved.substr(8 + header));
  put("checkpoint", "nothing",
      R"({"__metadata__":{"format":"consistency checkpoint","format_version":"1","step":"-1"}})");

  auto const images = idx({2, 3, 3}, std::string(18, '\5'));
  put("idx", "images", images);
  put("idx", "labels", idx({2}, "\1\2"));
  put("idx", "product_wraps_to_0", idx({1U << 31U, 1U << 31U, 4}, ""));
  put("idx", "product_wraps_to_16", idx({1U << 22U, 1U << 21U, 1U << 21U}, std::string(16, '\0')));
  put("idx", "no_images", idx({0, 28, 28}, ""));
  put("idx", "no_width", idx({~0U, 0, 0}, ""));
  put("idx", "floats", idx({1, 1, 1}, four, 13));
  put("idx", "short", idx({2, 3, 3}, std::string(17, '\0')));
  put("idx", "packed", gzipped(images));
  put("gzip", "whole", gzipped("some text, some text"));
  put("gzip", "two_members", gzipped("a") + gzipped("b"));
  put("gzip", "trailing", gzipped("a") + "junk");
  put("gzip", "cut", gzipped("some text, some text").substr(0, 20));
  put("gzip", "bomb", gzipped(std::string(std::size_t{2} << 20U, '\0')));
  put("cifar10", "short", std::string(100, '\1'));
  // What torch.save writes for {"w": torch.ones(2, 3)}, and one that asks for os.system.
  auto const tensor = std::string{
      "\x80\x02}q\0X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(("
      "X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0"
      "0X\3\0\0\0cpuK\x06tQK\0K\2K\3\x86K\3K\1\x86\x89"
      "ccollections\nOrderedDict\n)RtRs.",
      132};
  put("torch", "tensor", tensor);
  put("torch", "archive", torch_archive(tensor, std::string(24, '\1')));
  put("torch", "system",
      "\x80\x02"
      "cos\nsystem\nX\4\0\0\0echo\x85R.");
  put("torch", "deep", "\x80\x02" + std::string(5000, ']') + std::string(5000, 'a') + ".");
  put("torch", "memo", std::string{"\x80\x02]q\0h\0h\0\x86q\1h\1h\1\x86q\2h\2h\2\x86.", 25});
  auto const array = text_of(consistency::detail::npy_head("<f8", {2})) + std::string(16, '\0');
  put("npz", "array", array);
  put("npz", "archive", npz_archive(array));
  put("picture", "png", text_of(encode_png(picture(3, 5, 3, "some pixels of a picture"))));
  put("picture", "png_grey", text_of(encode_png(picture(4, 4, 1, "some pixels"))));
  put("picture", "jpeg", "\xff\xd8\xff\xe0" + std::string(20, '\0') + "\xff\xd9");
  put("png", "grey", "\3\4\1" + std::string("some pixels"));
  put("png", "colours", "\3\4\3" + std::string("some pixels"));
  // Of call_c: a perceptron, a session and a draw; a trainer, a step and its model.
  auto const perceptron = std::string{"\0\1\1\1\2\2\2\2\0\1\1\1\0\1\0\1\1\1\1\1", 20};
  auto const session = std::string{"\2\1\1\1\1\1\0\0\0", 9};
  auto const draw = std::string{"\3\3\0\0\0\3\1\0\1\1\1\0", 12};
  put("c", "draw", perceptron + session + draw);
  put("c", "train", perceptron + std::string{"\5\3\1\1\1\1\0\6\0\3\1\0\0\1\1\10\0", 17});
}
