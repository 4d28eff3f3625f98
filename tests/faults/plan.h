// The planned fault: which call of the watched program fails, and how. It is read once from the environment
// (tests/faults/README.md).
#pragma once

#include <cstdint>
#include <optional>
#include <regex>
#include <string>

namespace gan::faults {

enum class Call : unsigned {
  // Calls that change files.
  kWrite = 1,
  kSync = 2,
  kRename = 4,
  kClose = 8,
  kTruncate = 16,
  // Calls that only read files.
  kOpen = 32,
  kRead = 64,
  kList = 128,
  kStat = 256,
  kMap = 512,
  // Calls that remove names. They count only if they are named, because most of them clean up, and no data depends on
  // them.
  kRemove = 1024
};

enum class Fault { kNone, kError, kShortWrite, kSkip };

class Plan {
 public:
  static const Plan& Get();

  bool Watches(const std::string& path) const;
  // Whether calls of this kind count at all.
  bool Counts(Call call) const { return (calls_ & static_cast<unsigned>(call)) != 0; }
  // Counts one call on `path` and says what happens to it; kError comes with errno set. Does not return when the plan
  // says that the process dies here.
  Fault Next(Call call, const std::string& path) const;
  int journal() const { return journal_; }  // descriptor, -1: no journal is kept

 private:
  Plan();

  std::string prefix_;
  unsigned calls_ = ~0U;
  std::optional<std::regex> match_;  // only paths in which it is found count
  std::uint64_t nth_ = 0;            // 0: nothing fails
  std::uint64_t times_ = 1;          // number of calls that fail, from the nth on
  bool each_ = false;                // each process counts for itself
  bool other_rank_ = false;          // the fault is meant for another rank
  bool kill_ = false;
  double sleep_seconds_ = 0;  // waits before the call instead of letting it fail
  int error_ = 0;
  Fault fault_ = Fault::kError;
  std::uint64_t* count_ = nullptr;  // shared by all processes when FAULT_COUNT names a file
  std::uint64_t* own_ = nullptr;    // of this process
  int journal_ = -1;
};

}  // namespace gan::faults
