#include "tests/faults/paths.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace gan::faults {

namespace {

std::string LinkTarget(const std::string& link) {
  char target[PATH_MAX];
  const long size = ::syscall(SYS_readlink, link.c_str(), target, sizeof target);
  return size > 0 ? std::string(target, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

std::string PathOf(int descriptor) {
  const int before = errno;
  std::string path = LinkTarget("/proc/self/fd/" + std::to_string(descriptor));
  errno = before;
  return path;
}

std::string Absolute(int folder, const char* path) {
  std::string text = path;
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  if (text.starts_with('/')) return text;
  while (text.starts_with("./")) text.erase(0, 2);
  return (folder == AT_FDCWD ? LinkTarget("/proc/self/cwd") : PathOf(folder)) + "/" + text;
}

}  // namespace gan::faults
