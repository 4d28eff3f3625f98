// Loaded by LD_PRELOAD in front of the C library: calls that change files under FAULT_PREFIX pass through here, fail
// when the plan says so, and are noted in the journal when they succeed. (Calls that only look: shim_reads.cpp.) Calls
// inside the C library's own stdio are not seen; the programs under test store nothing through it.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <string>

#include "tests/faults/journal.h"
#include "tests/faults/paths.h"
#include "tests/faults/plan.h"

namespace {

using gan::faults::Absolute;
using gan::faults::PathOf;

using gan::faults::Action;
using gan::faults::Call;
using gan::faults::Fault;
using gan::faults::Note;
using gan::faults::Plan;

bool MayWrite(int descriptor) {
  const long flags = ::syscall(SYS_fcntl, descriptor, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

// -1 when the call is to fail, 0 when it is to be left out, 1 when it goes ahead.
int Ask(Call call, const std::string& path) {
  switch (Plan::Get().Next(call, path)) {
    case Fault::kError:
      return -1;
    case Fault::kSkip:
      return 0;
    case Fault::kNone:
    case Fault::kShortWrite:
      return 1;
  }
  return 1;
}

ssize_t Write(int descriptor, const void* data, std::size_t size, off_t offset) {
  const std::string path = PathOf(descriptor);
  const Fault fault = Plan::Get().Next(Call::kWrite, path);
  if (fault == Fault::kError) return -1;
  if (fault == Fault::kSkip) return static_cast<ssize_t>(size);
  if (fault == Fault::kShortWrite && size > 1) size /= 2;
  const bool watched = Plan::Get().Watches(path);
  const bool positioned = offset >= 0;
  const ssize_t done = positioned ? ::syscall(SYS_pwrite64, descriptor, data, size, offset)
                                  : ::syscall(SYS_write, descriptor, data, size);
  if (done > 0 && watched) {
    const off_t end = positioned ? offset + done : ::syscall(SYS_lseek, descriptor, 0, SEEK_CUR);
    Note(Action::kWrite, path, static_cast<std::uint64_t>(end - done), "", data, static_cast<std::size_t>(done));
  }
  return done;
}

int Sync(int descriptor, long number) {
  const std::string path = PathOf(descriptor);
  if (const int go = Ask(Call::kSync, path); go <= 0) return go;
  const auto result = static_cast<int>(::syscall(number, descriptor));
  if (result == 0) Note(Action::kSync, path);
  return result;
}

int Rename(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  const std::string source = Absolute(from_folder, from);
  const std::string target = Absolute(to_folder, to);
  if (const int go = Ask(Call::kRename, target); go <= 0) return go;
  const auto result = static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
  if (result == 0) Note(Action::kRename, source, 0, target);
  return result;
}

int Truncate(int descriptor, off_t size) {
  const std::string path = PathOf(descriptor);
  if (const int go = Ask(Call::kTruncate, path); go <= 0) return go;
  const auto result = static_cast<int>(::syscall(SYS_ftruncate, descriptor, size));
  if (result == 0) Note(Action::kTruncate, path, static_cast<std::uint64_t>(size));
  return result;
}

int Open(int folder, const char* path, int flags, mode_t mode) {
  if (Plan::Get().Counts(Call::kOpen) && Ask(Call::kOpen, Absolute(folder, path)) < 0) return -1;
  struct stat before = {};
  const bool creates = (flags & (O_CREAT | O_TRUNC)) != 0;
  const bool existed = creates && ::syscall(SYS_newfstatat, folder, path, &before, AT_SYMLINK_NOFOLLOW) == 0;
  const auto descriptor = static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode));
  if (descriptor < 0 || !creates) return descriptor;
  if (!existed) {
    Note(Action::kCreate, Absolute(folder, path));
  } else if ((flags & O_TRUNC) != 0) {
    Note(Action::kTruncate, Absolute(folder, path), 0);
  }
  return descriptor;
}

int MakeFolder(int folder, const char* path, mode_t mode) {
  const auto result = static_cast<int>(::syscall(SYS_mkdirat, folder, path, mode));
  if (result == 0) Note(Action::kMakeFolder, Absolute(folder, path));
  return result;
}

int Remove(int folder, const char* path, int flags) {
  const std::string absolute = Absolute(folder, path);
  if (const int go = Ask(Call::kRemove, absolute); go <= 0) return go;
  const auto result = static_cast<int>(::syscall(SYS_unlinkat, folder, path, flags));
  if (result == 0) Note(Action::kRemove, absolute);
  return result;
}

mode_t ModeArgument(int flags, std::va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* data, size_t size) { return Write(descriptor, data, size, -1); }
ssize_t pwrite(int descriptor, const void* data, size_t size, off_t offset) {
  return Write(descriptor, data, size, offset);
}
ssize_t pwrite64(int descriptor, const void* data, size_t size, off64_t offset) {
  return Write(descriptor, data, size, offset);
}

ssize_t writev(int descriptor, const iovec* parts, int count) {
  if (!Plan::Get().Watches(PathOf(descriptor))) return ::syscall(SYS_writev, descriptor, parts, count);
  std::string all;
  for (int i = 0; i < count; ++i) all.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  return Write(descriptor, all.data(), all.size(), -1);
}

int fsync(int descriptor) { return Sync(descriptor, SYS_fsync); }
int fdatasync(int descriptor) { return Sync(descriptor, SYS_fdatasync); }

int rename(const char* from, const char* to) noexcept { return Rename(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return Rename(from_folder, from, to_folder, to, 0);
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  return Rename(from_folder, from, to_folder, to, flags);
}

// As on NFS: the descriptor is gone even when close reports that data was lost.
int close(int descriptor) {
  const int go = MayWrite(descriptor) ? Ask(Call::kClose, PathOf(descriptor)) : 1;
  const int error = errno;
  const auto result = static_cast<int>(::syscall(SYS_close, descriptor));
  if (go == 1) return result;
  errno = error;
  return go;
}

int ftruncate(int descriptor, off_t size) noexcept { return Truncate(descriptor, size); }
int ftruncate64(int descriptor, off64_t size) noexcept { return Truncate(descriptor, size); }

int open(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeArgument(flags, arguments);
  va_end(arguments);
  return Open(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeArgument(flags, arguments);
  va_end(arguments);
  return Open(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeArgument(flags, arguments);
  va_end(arguments);
  return Open(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeArgument(flags, arguments);
  va_end(arguments);
  return Open(folder, path, flags, mode);
}

int mkdir(const char* path, mode_t mode) noexcept { return MakeFolder(AT_FDCWD, path, mode); }
int mkdirat(int folder, const char* path, mode_t mode) noexcept { return MakeFolder(folder, path, mode); }

int unlink(const char* path) noexcept { return Remove(AT_FDCWD, path, 0); }
int unlinkat(int folder, const char* path, int flags) noexcept { return Remove(folder, path, flags); }
int rmdir(const char* path) noexcept { return Remove(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char* path) noexcept {
  const int result = Remove(AT_FDCWD, path, 0);
  return result != 0 && errno == EISDIR ? Remove(AT_FDCWD, path, AT_REMOVEDIR) : result;
}

}  // extern "C"
