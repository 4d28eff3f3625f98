// Detects a rank that hangs: a thread expects a sign of life within the time-out of each section of the run.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "storage/rank_board.h"

namespace gan::run {

enum class Section : int { kStart, kStep, kSave, kEvaluate };

// A section from which there was no sign of life for `seconds`.
struct Silence {
  std::string section;
  double seconds = 0;
  bool is_ending = false;  // the process ends now
};

struct WatchdogOptions {
  // The longest allowed time without a sign of life, in seconds; 0: no limit.
  std::uint64_t start_seconds = 1800;
  std::uint64_t step_seconds = 600;
  std::uint64_t save_seconds = 1800;
  std::uint64_t evaluate_seconds = 1800;
  bool has_launcher = false;  // result of HasLauncher(); if true, the process ends when its parent does
};

// Whether mpirun, srun or another MPI launcher started this process. Call it before MPI is initialised, because MPI
// sets the environment variables that this function checks.
bool HasLauncher();

// When a time-out expires, the watchdog writes the stack traces of all threads to `stacks-rank-00000.txt` in the run
// folder (to stderr before there is one) and one line to stderr, and ends the process with exit code 1. The launcher
// then ends the other ranks. The watchdog also ends the process when the launcher that started it has died, because
// nobody could stop the process any more. A process started by a shell outlives the shell. Time during which the whole
// process was stopped (SIGSTOP) does not count.
//
// Under gan-launch it also keeps the slot of this rank on the board (storage/rank_board.h) up to date.
class Watchdog {
 public:
  Watchdog(const WatchdogOptions& options, int rank);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // A sign of life: the rank begins `section`. Any thread may call it.
  void Enter(Section section);
  // Sets the folder for the stack traces. Call it once.
  void SetFolder(const std::filesystem::path& run);
  // Called on the watchdog's thread when half of a time-out has passed, and again before the process ends.
  void SetOnSilence(std::function<void(const Silence&)> on_silence);

 private:
  void Watch();
  std::uint64_t LimitOf(Section section) const;
  [[noreturn]] void EndWithoutLauncher() const;
  void Tell(Section section, double seconds, bool is_ending);
  [[noreturn]] void End(Section section, std::chrono::duration<double> silent);

  const WatchdogOptions options_;
  const int rank_;
  const int parent_;
  std::atomic<std::uint64_t> signs_{0};
  std::atomic<Section> section_{Section::kStart};

  std::mutex mutex_;  // guards all members below
  std::condition_variable wake_;
  bool done_ = false;
  std::filesystem::path folder_;
  std::function<void(const Silence&)> on_silence_;
  bool told_ = false;  // the current silence was reported

  storage::RankBoard board_;
  storage::RankSlot& slot_;  // on the board, or in memory that is never read

  std::thread thread_;  // last: it uses all members above
};

}  // namespace gan::run
