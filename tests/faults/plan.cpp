#include "tests/faults/plan.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

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

// Avoids the shim's own functions, which would ask the plan again.
int OpenRaw(const char* path, int flags) {
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, 0644));
}

constexpr unsigned kChanges = 31;

unsigned ParseCalls(const std::string& names) {
  static const std::map<std::string, Call> kCalls = {
      {"write", Call::kWrite},       {"sync", Call::kSync}, {"rename", Call::kRename}, {"close", Call::kClose},
      {"truncate", Call::kTruncate}, {"open", Call::kOpen}, {"read", Call::kRead},     {"list", Call::kList},
      {"stat", Call::kStat},         {"map", Call::kMap},   {"remove", Call::kRemove}};
  if (names.empty()) return kChanges;
  unsigned calls = 0;
  for (std::size_t begin = 0; begin <= names.size();) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    const auto call = kCalls.find(names.substr(begin, end - begin));
    if (call == kCalls.end()) Refuse("FAULT_CALLS", names);
    calls |= static_cast<unsigned>(call->second);
    begin = end + 1;
  }
  return calls;
}

bool IsOtherRank(const char* wanted) {
  return *wanted != '\0' && std::strcmp(wanted, Variable("OMPI_COMM_WORLD_RANK")) != 0;
}

std::uint64_t TimesOf(const char* times) {
  if (std::strcmp(Variable("FAULT_STICKY"), "1") == 0) return ~std::uint64_t{0};
  return *times == '\0' ? 1 : std::strtoull(times, nullptr, 10);
}

std::uint64_t* MapCounter(const char* file) {
  static std::uint64_t unshared = 0;
  constexpr std::size_t kBytes = sizeof unshared;
  if (*file == '\0') return &unshared;
  const int descriptor = OpenRaw(file, O_RDWR | O_CREAT | O_CLOEXEC);
  if (descriptor < 0 || ::syscall(SYS_ftruncate, descriptor, kBytes) != 0) Refuse("FAULT_COUNT", file);
  const long shared = ::syscall(SYS_mmap, nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0L);
  ::syscall(SYS_close, descriptor);
  if (shared == -1) Refuse("FAULT_COUNT", file);
  return reinterpret_cast<std::uint64_t*>(shared);
}

}  // namespace

Plan::Plan() {
  prefix_ = Variable("FAULT_PREFIX");
  if (prefix_.empty() || prefix_.front() != '/') Refuse("FAULT_PREFIX", prefix_);
  calls_ = ParseCalls(Variable("FAULT_CALLS"));
  if (const std::string match = Variable("FAULT_MATCH"); !match.empty()) match_.emplace(match);
  nth_ = std::strtoull(Variable("FAULT_NTH"), nullptr, 10);
  times_ = TimesOf(Variable("FAULT_TIMES"));
  each_ = std::strcmp(Variable("FAULT_EACH"), "1") == 0;
  other_rank_ = IsOtherRank(Variable("FAULT_RANK"));
  static std::uint64_t own = 0;
  own_ = &own;
  const std::string error = Variable("FAULT_ERROR");
  static const std::map<std::string, int> kErrors = {{"ENOSPC", ENOSPC}, {"EIO", EIO},       {"EDQUOT", EDQUOT},
                                                     {"ESTALE", ESTALE}, {"EACCES", EACCES}, {"EMFILE", EMFILE}};
  if (const auto number = kErrors.find(error); number != kErrors.end())
    error_ = number->second;
  else if (error == "SLEEP")
    sleep_seconds_ = std::strtod(Variable("FAULT_SECONDS"), nullptr);
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
  if (!Counts(call) || other_rank_ || !Watches(path)) return Fault::kNone;
  if (match_ && !std::regex_search(path, *match_)) return Fault::kNone;
  const std::uint64_t number = __atomic_add_fetch(each_ ? own_ : count_, 1, __ATOMIC_SEQ_CST);
  std::uint64_t most = __atomic_load_n(count_, __ATOMIC_SEQ_CST);
  while (most < number &&
         !__atomic_compare_exchange_n(count_, &most, number, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
  }
  if (nth_ == 0 || number < nth_ || number - nth_ >= times_) return Fault::kNone;
  if (kill_) ::kill(::getpid(), SIGKILL);
  if (sleep_seconds_ > 0) {
    ::usleep(static_cast<useconds_t>(sleep_seconds_ * 1e6));
    return Fault::kNone;
  }
  errno = error_;
  return fault_;
}

}  // namespace gan::faults
