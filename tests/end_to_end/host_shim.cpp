// Loaded by LD_PRELOAD in front of the C library, so that a program takes this machine for another: HOST_ROOT is a
// folder whose sys/ and proc/self/cgroup stand in for those of the machine, HOST_MASK ("0-7") the CPUs that every
// process may run on, HOST_OWN_MASK those of the program itself where they differ. Bindings are accepted and
// remembered. With HOST_TAKES_HANGUP it catches SIGHUP while it is loaded, as UCX does.
#include <dlfcn.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

// "0-7" or "3": as much as the tests need.
void Fill(const char* range, std::size_t size, cpu_set_t* mask) {
  std::memset(mask, 0, size);
  char* rest = nullptr;
  const long first = std::strtol(range, &rest, 10);
  const long last = *rest == '-' ? std::strtol(rest + 1, nullptr, 10) : first;
  for (long cpu = first; cpu <= last; ++cpu) CPU_SET_S(static_cast<std::size_t>(cpu), size, mask);
}

cpu_set_t& Remembered() {
  static cpu_set_t mask;
  return mask;
}
bool bound = false;

// The stand-in for `path`, or `path` itself where there is none.
std::string Redirected(const char* path) {
  const char* root = std::getenv("HOST_ROOT");
  const std::string whole = path;
  if (root == nullptr || (!whole.starts_with("/sys/") && whole != "/proc/self/cgroup")) return whole;
  const std::string other = root + whole;
  return ::access(other.c_str(), R_OK) == 0 ? other : whole;
}

using Open = FILE*(const char*, const char*);
Open* Next(const char* name) { return reinterpret_cast<Open*>(::dlsym(RTLD_NEXT, name)); }

[[gnu::constructor]] void TakeHangup() {
  if (std::getenv("HOST_TAKES_HANGUP") != nullptr) std::signal(SIGHUP, [](int) {});
}

}  // namespace

extern "C" {

int sched_getaffinity(pid_t process, std::size_t size, cpu_set_t* mask) noexcept {
  const bool own = process == 0 || process == ::getpid();
  if (own && bound) {
    std::memset(mask, 0, size);
    std::memcpy(mask, &Remembered(), std::min(size, sizeof(cpu_set_t)));
    return 0;
  }
  const char* range = own ? std::getenv("HOST_OWN_MASK") : nullptr;
  if (range == nullptr) range = std::getenv("HOST_MASK");
  if (range == nullptr) {
    errno = ENOSYS;
    return -1;
  }
  Fill(range, size, mask);
  return 0;
}

int sched_setaffinity(pid_t /*thread*/, std::size_t size, const cpu_set_t* mask) noexcept {
  // The MPI library, too, binds while it starts, by the real machine: only what the program itself asks for counts.
  Dl_info caller = {};
  if (::dladdr(__builtin_return_address(0), &caller) == 0 || std::strstr(caller.dli_fname, "gan-train") == nullptr)
    return 0;
  std::memcpy(&Remembered(), mask, std::min(size, sizeof(cpu_set_t)));
  bound = true;
  return 0;
}

FILE* fopen(const char* path, const char* mode) { return Next("fopen")(Redirected(path).c_str(), mode); }
FILE* fopen64(const char* path, const char* mode) { return Next("fopen64")(Redirected(path).c_str(), mode); }
}
