// SPDX-License-Identifier: MIT
#include <array>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <consistency/io/file.hpp>

#include "support.hpp"

namespace fs = std::filesystem;
using namespace consistency;
using namespace consistency::test;

namespace {

/// While alive, files of this process cannot grow past `bytes`: a full disk that needs no privileges.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_{std::signal(SIGXFSZ, SIG_IGN)} {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    auto limited = before_;
    limited.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limited);
  }
  FullDisk(FullDisk const&) = delete;
  FullDisk& operator=(FullDisk const&) = delete;
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  ::rlimit before_{};
};

/// While alive, a test that runs as root has no more rights than anybody.
class Nobody {
 public:
  Nobody() { done_ = ::geteuid() == 0 && ::seteuid(65534) == 0; }
  Nobody(Nobody const&) = delete;
  Nobody& operator=(Nobody const&) = delete;
  ~Nobody() {
    if (done_ && ::seteuid(0) != 0) std::terminate();
  }
  static bool powerless() { return ::geteuid() != 0; }

 private:
  bool done_ = false;
};

}  // namespace

TEST_CASE("a file comes back as it was written") {
  TempFolder const folder;
  auto const path = folder / "data.bin";
  for (auto const size : {0U, 1U, 4096U, 1'000'000U}) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7U >> 3U);
    write_file_atomically(path, bytes);
    CHECK(read_file(path) == bytes);
  }
  CHECK(folder.files() == 1);
}

TEST_CASE("parts are written one after the other") {
  TempFolder const folder;
  auto const parts = std::array{text_bytes("one"), text_bytes(""), text_bytes("two")};
  write_file_atomically(folder / "parts", parts);
  CHECK(read_file(folder / "parts") == bytes_of("onetwo"));
}

TEST_CASE("a file without a size, as of the kernel, is read to its end") {
  CHECK(bytes_text(read_file("/proc/self/status")).find("Name:") != std::string_view::npos);
}

TEST_CASE("a pipe is read to its end") {
  TempFolder const folder;
  auto const path = folder / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  Bytes const sent(200'000, std::byte{42});
  auto sender = std::thread{[&] {
    auto const pipe = detail::FileDescriptor{::open(path.c_str(), O_WRONLY)};
    for (auto rest = ByteView{sent}; !rest.empty();) {
      auto const taken = ::write(pipe.get(), rest.data(), rest.size());
      if (taken <= 0) return;
      rest = rest.subspan(static_cast<std::size_t>(taken));
    }
  }};
  auto const received = read_file(path);
  sender.join();
  CHECK(received == sent);
}

TEST_CASE("reading names the call, the cause and the path") {
  TempFolder const folder;
  auto const missing = folder / "missing";
  check_fails<ErrorCode::io>([&] { read_file(missing); },
                             {missing.string(), "open failed", "No such file or directory", "errno 2"});
  check_fails<ErrorCode::io>([&] { read_file(folder.path()); }, {"read failed", "Is a directory"});
}

TEST_CASE("a full disk keeps the previous file whole and leaves nothing behind") {
  TempFolder const folder;
  auto const path = folder / "state.bin";
  write_file_atomically(path, text_bytes("previous"));
  Bytes const large(10'000);
  auto const write = [&] {
    FullDisk const disk{4096};
    write_file_atomically(path, large);
  };
  check_fails<ErrorCode::io>(write, {path.string(), "write failed after 4096 of 10000 bytes",
                                     "File too large", "The previous file was kept"});
  CHECK(read_file(path) == bytes_of("previous"));
  CHECK(folder.files() == 1);
}

TEST_CASE("a full disk leaves nothing where there was no file") {
  TempFolder const folder;
  Bytes const large(10'000);
  auto const write = [&] {
    FullDisk const disk{100};
    write_file_atomically(folder / "new.bin", large);
  };
  check_fails<ErrorCode::io>(write, {"after 100 of 10000 bytes", "No file was there before and none is now"});
  CHECK(folder.files() == 0);
}

TEST_CASE("a folder that cannot be written to is rejected") {
  TempFolder const folder;
  fs::permissions(folder.path(), static_cast<fs::perms>(0555));
  auto powerless = false;
  auto const write = [&] {
    Nobody const nobody;
    powerless = Nobody::powerless();
    write_file_atomically(folder / "new.bin", text_bytes("x"));
  };
  if (::geteuid() == 0) {
    Nobody const nobody;
    if (!Nobody::powerless()) {
      MESSAGE("skipped: root cannot give up its rights here");
      return;
    }
  }
  check_fails<ErrorCode::io>(write, {"open (temporary file) failed", "0 of 1 bytes", "Permission denied"});
  CHECK(powerless);
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST_CASE("a missing folder and a file in the place of one are rejected") {
  TempFolder const folder;
  check_fails<ErrorCode::io>([&] { write_file_atomically(folder / "none" / "x", text_bytes("x")); },
                             {"open (folder) failed", "No such file or directory"});
  write_file_atomically(folder / "file", text_bytes("x"));
  check_fails<ErrorCode::io>([&] { write_file_atomically(folder / "file" / "x", text_bytes("x")); },
                             {"open (folder) failed", "Not a directory"});
}

TEST_CASE("folders and pipes are never replaced") {
  TempFolder const folder;
  fs::create_directory(folder / "folder");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  for (auto const* const name : {"folder", "pipe"})
    check_fails<ErrorCode::io>([&] { write_file_atomically(folder / name, text_bytes("x")); },
                               {"not a regular file", name});
  CHECK(folder.files() == 2);
}

TEST_CASE("a name that cannot be given leaves no temporary file") {
  TempFolder const folder;
  check_fails<ErrorCode::io>([&] { write_file_atomically(folder / std::string(300, 'n'), text_bytes("x")); },
                             {"rename failed", "File name too long"});
  CHECK(folder.files() == 0);
  write_file_atomically(folder / std::string(255, 'n'), text_bytes("the longest legal name"));
  CHECK(folder.files() == 1);
}

TEST_CASE("a symbolic link is followed, not replaced") {
  TempFolder const folder;
  write_file_atomically(folder / "real", text_bytes("old"));
  fs::create_symlink("real", folder / "link");
  write_file_atomically(folder / "link", text_bytes("new"));
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(read_file(folder / "real") == bytes_of("new"));
}

TEST_CASE("a replaced file keeps its mode and owner, and a new one has what the umask leaves") {
  TempFolder const folder;
  auto const path = folder / "file";
  auto const state = [&] {
    struct ::stat now {};
    REQUIRE(::stat(path.c_str(), &now) == 0);
    return now;
  };
  auto const before = ::umask(027);
  write_file_atomically(path, text_bytes("new"));
  CHECK((state().st_mode & 07777U) == 0640U);
  for (auto const mode : {0600U, 0664U, 0444U, 0755U, 0606U}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    write_file_atomically(path, text_bytes("replaced"));
    CHECK((state().st_mode & 07777U) == mode);
  }
  ::umask(before);
  if (::chown(path.c_str(), 65534, 65534) != 0) return;  // not as root
  REQUIRE(::chmod(path.c_str(), 0660) == 0);
  write_file_atomically(path, text_bytes("replaced"));
  CHECK(state().st_uid == 65534);
  CHECK(state().st_gid == 65534);
  CHECK((state().st_mode & 07777U) == 0660U);
}

TEST_CASE("rights of a group that cannot be kept do not go to another group") {
  TempFolder const folder;
  auto const path = folder / "file";
  write_file_atomically(path, text_bytes("old"));
  if (::geteuid() != 0 || ::chown(path.c_str(), 65534, 12345) != 0) {
    MESSAGE("skipped: only root can give a file to a group that is not its own");
    return;
  }
  REQUIRE(::chmod(path.c_str(), 0664) == 0);
  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  {
    Nobody const nobody;
    if (!Nobody::powerless()) return;
    write_file_atomically(path, text_bytes("new"));
  }
  struct ::stat now {};
  REQUIRE(::stat(path.c_str(), &now) == 0);
  CHECK(now.st_gid != 12345);
  CHECK((now.st_mode & 07777U) == 0644U);
}

TEST_CASE("what a killed process was writing goes when that name is next written, and only then") {
  TempFolder const folder;
  auto const path = folder / "state.bin";
  for (auto const* const name : {".writing-state.bin-0", ".writing-state.bin-1", ".writing-other.bin-0"})
    write_file_atomically(folder / name, text_bytes("half"));
  write_file_atomically(path, text_bytes("whole"));
  CHECK(read_file(path) == bytes_of("whole"));
  CHECK(fs::exists(folder / ".writing-other.bin-0"));
  CHECK(folder.files() == 2);
}

TEST_CASE("what a living writer is writing is left to it") {
  TempFolder const folder;
  auto const path = folder / "state.bin";
  {
    auto first = detail::AtomicFile{path, path, 5};
    auto second = detail::AtomicFile{path, path, 6};
    first.write(text_bytes("first"));
    write_file_atomically(path, text_bytes("third"));
    second.write(text_bytes("second"));
    second.commit();
    CHECK(read_file(path) == bytes_of("second"));
    first.commit();
    CHECK(read_file(path) == bytes_of("first"));
  }
  CHECK(folder.files() == 1);
}

TEST_CASE("a name of many bytes per letter is cut between letters") {
  TempFolder const folder;
  std::string name = "x";
  for (auto i = 0; i < 60; ++i) name += "\xc3\xa4";
  auto const file = detail::AtomicFile{folder / name, folder / name, 0};
  auto const entry = fs::directory_iterator { folder.path() } -> path().filename().string();
  CHECK(entry == ".writing-" + name.substr(0, 99) + "-0");
}

TEST_CASE("a reader sees the old file or the new one, never a part") {
  TempFolder const folder;
  auto const path = folder / "state.bin";
  Bytes const a(50'000, std::byte{'a'}), b(70'000, std::byte{'b'});
  write_file_atomically(path, a);
  auto writer = std::thread{[&] {
    for (auto i = 0; i < 50; ++i) write_file_atomically(path, i % 2 == 0 ? b : a);
  }};
  auto torn = 0;
  for (auto i = 0; i < 500; ++i) {
    auto const seen = read_file(path);
    if (seen != a && seen != b) ++torn;
  }
  writer.join();
  CHECK(torn == 0);
  CHECK(folder.files() == 1);
}
