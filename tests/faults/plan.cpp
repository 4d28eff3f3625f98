#include "tests/faults/plan.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace gan::faults {

namespace {

const char* Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

[[noreturn]] void Refuse(const char* name, const std::string& value) {
  std::fprintf(stderr, "fault shim: %s=%s is not understood\n", name, value.c_str());
  ::_exit(2);
}

// Without the shim's own interposers, which would ask the plan again.
int OpenRaw(const char* path, int flags) {
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, 0644));
}

unsigned ParseCalls(const std::string& names) {
  if (names.empty()) return ~0U;
  unsigned calls = 0;
  for (std::size_t begin = 0; begin <= names.size();) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    const std::string name = names.substr(begin, end - begin);
    if (name == "write")
      calls |= static_cast<unsigned>(Call::kWrite);
    else if (name == "sync")
      calls |= static_cast<unsigned>(Call::kSync);
    else if (name == "rename")
      calls |= static_cast<unsigned>(Call::kRename);
    else if (name == "close")
      calls |= static_cast<unsigned>(Call::kClose);
    else if (name == "truncate")
      calls |= static_cast<unsigned>(Call::kTruncate);
    else
      Refuse("FAULT_CALLS", names);
    begin = end + 1;
  }
  return calls;
}

std::uint64_t* MapCounter(const char* file) {
  static std::uint64_t own = 0;
  if (*file == '\0') return &own;
  const int descriptor = OpenRaw(file, O_RDWR | O_CREAT | O_CLOEXEC);
  if (descriptor < 0 || ::syscall(SYS_ftruncate, descriptor, sizeof own) != 0) Refuse("FAULT_COUNT", file);
  void* shared = ::mmap(nullptr, sizeof own, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  ::syscall(SYS_close, descriptor);
  if (shared == MAP_FAILED) Refuse("FAULT_COUNT", file);
  return static_cast<std::uint64_t*>(shared);
}

}  // namespace

Plan::Plan() {
  prefix_ = Variable("FAULT_PREFIX");
  if (prefix_.empty() || prefix_.front() != '/') Refuse("FAULT_PREFIX", prefix_);
  calls_ = ParseCalls(Variable("FAULT_CALLS"));
  if (const std::string match = Variable("FAULT_MATCH"); !match.empty()) match_.emplace(match);
  nth_ = std::strtoull(Variable("FAULT_NTH"), nullptr, 10);
  sticky_ = std::strcmp(Variable("FAULT_STICKY"), "1") == 0;
  const std::string error = Variable("FAULT_ERROR");
  if (error == "ENOSPC")
    error_ = ENOSPC;
  else if (error == "EIO")
    error_ = EIO;
  else if (error == "EDQUOT")
    error_ = EDQUOT;
  else if (error == "SHORT")
    fault_ = Fault::kShortWrite;
  else if (error == "SKIP")
    fault_ = Fault::kSkip;
  else if (error == "KILL")
    kill_ = true;
  else if (!error.empty() || nth_ != 0)
    Refuse("FAULT_ERROR", error);
  count_ = MapCounter(Variable("FAULT_COUNT"));
  const char* journal = Variable("FAULT_JOURNAL");
  if (*journal != '\0' && (journal_ = OpenRaw(journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC)) < 0) {
    Refuse("FAULT_JOURNAL", journal);
  }
}

const Plan& Plan::Get() {
  static const Plan& plan = *new Plan;  // never destroyed: calls come until the very end of the process
  return plan;
}

bool Plan::Watches(const std::string& path) const {
  return path.starts_with(prefix_) && (path.size() == prefix_.size() || path[prefix_.size()] == '/');
}

Fault Plan::Next(Call call, const std::string& path) const {
  if ((calls_ & static_cast<unsigned>(call)) == 0 || !Watches(path)) return Fault::kNone;
  if (match_ && !std::regex_search(path, *match_)) return Fault::kNone;
  const std::uint64_t number = __atomic_add_fetch(count_, 1, __ATOMIC_SEQ_CST);
  if (nth_ == 0 || (sticky_ ? number < nth_ : number != nth_)) return Fault::kNone;
  if (kill_) ::kill(::getpid(), SIGKILL);
  errno = error_;
  return fault_;
}

}  // namespace gan::faults
