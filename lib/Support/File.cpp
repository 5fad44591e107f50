//===- File.cpp - Whole files, read and written at once -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/File.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

using namespace ctc;
namespace fs = std::filesystem;

namespace {
/// A file descriptor that is closed when it goes out of scope.
class Descriptor {
public:
  explicit Descriptor(int fd) : fd(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;

  int get() const { return fd; }
  /// False when the system reports a late write error.
  bool close() {
    const int old = std::exchange(fd, -1);
    return old < 0 || ::close(old) == 0;
  }

private:
  int fd;
};

tl::unexpected<Error> failed(const char *what, const std::string &path,
                             int reason) {
  return makeError(ErrorCode::Usage, std::string("cannot ") + what + " '" +
                                         path + "': " + std::strerror(reason));
}

bool writeAll(int fd, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return false;
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return true;
}

Expected<void> writeInPlace(const std::string &path,
                            std::span<const uint8_t> bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0 || !writeAll(file.get(), bytes) || !file.close())
    return failed("write", path, errno);
  return {};
}

/// Opens a new file beside `path`; its name goes to `temporary`.
int openBeside(const std::string &path, std::string &temporary) {
  static std::atomic<unsigned> counter{0};
  int fd;
  do {
    temporary = path + ".tmp" + std::to_string(::getpid()) + "." +
                std::to_string(counter++);
    fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                0666);
  } while (fd < 0 && errno == EEXIST);
  return fd;
}

/// Where bytes for a path go.
struct Destination {
  std::string target;         ///< What the path's links lead to.
  std::optional<mode_t> mode; ///< The permissions of the file that is there.
  bool isInPlace = false;     ///< It is there and is no regular file.
};

Expected<Destination> resolve(const std::string &path) {
  struct stat status;
  const bool isThere = ::stat(path.c_str(), &status) == 0;
  if (!isThere && errno != ENOENT)
    return failed("write", path, errno); // A loop of links, among others.
  if (isThere && S_ISDIR(status.st_mode))
    return failed("write", path, EISDIR);
  if (isThere && !S_ISREG(status.st_mode))
    return Destination{path, std::nullopt, /*isInPlace=*/true};
  // Also where the last link leads to nothing yet.
  fs::path target = path;
  std::error_code error;
  while (fs::is_symlink(fs::symlink_status(target, error))) {
    const fs::path next = fs::read_symlink(target, error);
    if (error)
      return failed("write", path, error.value());
    target = target.parent_path() / next;
  }
  Destination destination{target.string(), std::nullopt};
  if (isThere)
    destination.mode = status.st_mode & 0777;
  return destination;
}
} // namespace

Expected<std::vector<uint8_t>> ctc::readFile(const std::string &path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0)
    return failed("read", path, errno);
  std::vector<uint8_t> bytes;
  struct stat status;
  if (::fstat(file.get(), &status) == 0 && status.st_size > 0)
    bytes.reserve(static_cast<size_t>(status.st_size));
  uint8_t chunk[65536];
  while (true) {
    const ssize_t count = ::read(file.get(), chunk, sizeof(chunk));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return failed("read", path, errno);
    if (count == 0)
      return bytes;
    bytes.insert(bytes.end(), chunk, chunk + count);
  }
}

Expected<void> ctc::writeFileAtomically(const std::string &path,
                                        std::span<const uint8_t> bytes) {
  auto destination = resolve(path);
  if (!destination)
    return tl::unexpected(destination.error());
  const auto &[target, mode, isInPlace] = *destination;
  if (isInPlace)
    return writeInPlace(path, bytes);
  std::string temporary;
  Descriptor file(openBeside(target, temporary));
  if (file.get() < 0)
    return failed("write", path, errno);
  if ((!mode || ::fchmod(file.get(), *mode) == 0) &&
      writeAll(file.get(), bytes) && file.close() &&
      ::rename(temporary.c_str(), target.c_str()) == 0)
    return {};
  const int reason = errno;
  ::unlink(temporary.c_str());
  return failed("write", path, reason);
}

Expected<void> ctc::checkWritable(const std::string &path) {
  auto destination = resolve(path);
  if (!destination)
    return tl::unexpected(destination.error());
  const auto folder = fs::path(destination->target).parent_path();
  const bool isWritable =
      destination->isInPlace
          ? ::access(path.c_str(), W_OK) == 0
          : ::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0;
  if (!isWritable)
    return failed("write", path, errno);
  return {};
}
