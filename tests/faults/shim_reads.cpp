// The calls that only look at files: they fail when the plan says so, and leave no trace in the journal. Nothing is
// asked about descriptors while such calls do not count, so that programs keep their pace.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/faults/paths.h"
#include "tests/faults/plan.h"

namespace {

using gan::faults::Absolute;
using gan::faults::Call;
using gan::faults::Fault;
using gan::faults::PathOf;
using gan::faults::Plan;

bool Refused(Call call, const std::string& path) { return Plan::Get().Next(call, path) == Fault::kError; }

bool Refused(Call call, int descriptor) { return Plan::Get().Counts(call) && Refused(call, PathOf(descriptor)); }

bool Refused(Call call, int folder, const char* path) {
  return Plan::Get().Counts(call) && Refused(call, Absolute(folder, path));
}

int Stat(int folder, const char* path, struct stat* found, int flags) {
  if (*path == '\0' ? Refused(Call::kStat, folder) : Refused(Call::kStat, folder, path)) return -1;
  return static_cast<int>(::syscall(SYS_newfstatat, folder, path, found, flags));
}

// The C library's own function of this name, which the shim replaces.
template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t read(int descriptor, void* data, size_t size) {
  return Refused(Call::kRead, descriptor) ? -1 : ::syscall(SYS_read, descriptor, data, size);
}
ssize_t pread(int descriptor, void* data, size_t size, off_t offset) {
  return Refused(Call::kRead, descriptor) ? -1 : ::syscall(SYS_pread64, descriptor, data, size, offset);
}
ssize_t pread64(int descriptor, void* data, size_t size, off64_t offset) {
  return pread(descriptor, data, size, offset);
}

void* mmap(void* at, size_t size, int protection, int flags, int descriptor, off_t offset) noexcept {
  if (descriptor >= 0 && Refused(Call::kMap, descriptor)) return MAP_FAILED;
  return reinterpret_cast<void*>(::syscall(SYS_mmap, at, size, protection, flags, descriptor, offset));
}
void* mmap64(void* at, size_t size, int protection, int flags, int descriptor, off64_t offset) noexcept {
  return mmap(at, size, protection, flags, descriptor, offset);
}

DIR* opendir(const char* path) {
  static auto* const next = Next<DIR*(const char*)>("opendir");
  return Refused(Call::kList, AT_FDCWD, path) ? nullptr : next(path);
}
struct dirent* readdir(DIR* folder) {
  static auto* const next = Next<struct dirent*(DIR*)>("readdir");
  return Refused(Call::kList, ::dirfd(folder)) ? nullptr : next(folder);
}
struct dirent64* readdir64(DIR* folder) {
  static auto* const next = Next<struct dirent64*(DIR*)>("readdir64");
  return Refused(Call::kList, ::dirfd(folder)) ? nullptr : next(folder);
}

int stat(const char* path, struct stat* found) noexcept { return Stat(AT_FDCWD, path, found, 0); }
int lstat(const char* path, struct stat* found) noexcept { return Stat(AT_FDCWD, path, found, AT_SYMLINK_NOFOLLOW); }
int fstat(int descriptor, struct stat* found) noexcept { return Stat(descriptor, "", found, AT_EMPTY_PATH); }
int fstatat(int folder, const char* path, struct stat* found, int flags) noexcept {
  return Stat(folder, path, found, flags);
}
// NOLINTBEGIN(bugprone-reserved-identifier): the names are the C library's.
// LibTorch brings a std::filesystem of its own along, built for an older C library, where the calls had these names.
int __xstat(int /*version*/, const char* path, struct stat* found) noexcept { return stat(path, found); }
int __lxstat(int /*version*/, const char* path, struct stat* found) noexcept { return lstat(path, found); }
int __fxstat(int /*version*/, int descriptor, struct stat* found) noexcept { return fstat(descriptor, found); }
int __fxstatat(int /*version*/, int folder, const char* path, struct stat* found, int flags) noexcept {
  return fstatat(folder, path, found, flags);
}
// struct stat and struct stat64 have the same layout on 64-bit systems.
int stat64(const char* path, struct stat64* found) noexcept {
  return stat(path, reinterpret_cast<struct stat*>(found));
}
int lstat64(const char* path, struct stat64* found) noexcept {
  return lstat(path, reinterpret_cast<struct stat*>(found));
}
int fstat64(int descriptor, struct stat64* found) noexcept {
  return fstat(descriptor, reinterpret_cast<struct stat*>(found));
}
int __xstat64(int /*version*/, const char* path, struct stat64* found) noexcept { return stat64(path, found); }
int __lxstat64(int /*version*/, const char* path, struct stat64* found) noexcept { return lstat64(path, found); }
int __fxstat64(int /*version*/, int descriptor, struct stat64* found) noexcept { return fstat64(descriptor, found); }
// NOLINTEND(bugprone-reserved-identifier)

}  // extern "C"
