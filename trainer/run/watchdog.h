// Notices when a rank hangs: a thread that expects a sign of life within each section's time-out.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <thread>

namespace gan::run {

enum class Section : int { kStart, kStep, kSave, kEvaluate };

struct WatchdogOptions {
  // Seconds without a sign of life that are too many; 0: never.
  std::uint64_t start_seconds = 1800;
  std::uint64_t step_seconds = 600;
  std::uint64_t save_seconds = 1800;
  std::uint64_t evaluate_seconds = 1800;
  bool has_launcher = false;  // as HasLauncher says; the process ends with its parent then
};

// Whether mpirun, srun or another launcher of MPI started this process. To be asked before MPI begins, which sets the
// variables that tell it.
bool HasLauncher();

// On silence: the stacks of all threads go to `stacks-rank-00000.txt` in the run folder (stderr before there is one),
// one line to stderr, and the process ends with exit code 1. The launcher then ends the other ranks. It also ends the
// process when the launcher that started it is gone: nobody would stop it any more. A process that a shell started
// outlives the shell. A time in which the whole process was stopped (SIGSTOP) does not count.
class Watchdog {
 public:
  Watchdog(const WatchdogOptions& options, int rank);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // A sign of life: the rank is at the beginning of `section`. From any thread.
  void Enter(Section section);
  // Where the stacks go from now on. Once.
  void SetFolder(const std::filesystem::path& run);

 private:
  void Watch();
  std::uint64_t LimitOf(Section section) const;
  [[noreturn]] void EndWithoutLauncher() const;
  [[noreturn]] void End(Section section, std::chrono::duration<double> silent);

  const WatchdogOptions options_;
  const int rank_;
  const int parent_;
  std::atomic<std::uint64_t> signs_{0};
  std::atomic<Section> section_{Section::kStart};

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  bool done_ = false;
  std::filesystem::path folder_;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace gan::run
