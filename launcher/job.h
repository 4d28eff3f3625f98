// One attempt: a launcher (mpirun, srun) with its ranks as a process group of its own.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace gan::launch {

// How a process ended: its exit code, or 128 + the signal that ended it, as shells count.
struct Ending {
  int code = 0;
  bool by_signal = false;
};
std::string Describe(const Ending& ending);

// Blocks the signals that Job waits for in this process (threads started later inherit it) and makes it the one to whom
// orphaned ranks of this host fall, so that none outlives an attempt. Once, before the first Job.
void TakeCharge();

// The next of SIGCHLD, SIGTERM, SIGINT, SIGHUP or SIGUSR1, or 0 when `patience` is over. Needs TakeCharge().
int WaitForSignal(std::chrono::milliseconds patience);

// Owns the processes: none of this host's is left when it is destroyed. Not thread-safe.
class Job {
 public:
  // Starts `command` (searched in PATH). Throws IoError when it cannot be started.
  explicit Job(const std::vector<std::string>& command);
  ~Job();  // kills what still runs
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // How the launcher ended, or nothing while it runs; reaps whatever else has ended. A launcher that was ended by a
  // signal is answered for by a rank that it left behind, if one has an exit code. An mpirun that stays although
  // all of its processes have ended for seconds is killed. Call it at least once a second.
  std::optional<Ending> Poll();
  // To the launcher alone, which forwards USR1 to its ranks wherever they are.
  void Signal(int signal) const;
  // SIGKILL to the launcher and to every process of this host that came from it; waits until they are gone.
  void Kill();
  // mpirun has had a process: a rank here or its remote shell to another host. Always true for other launchers, which
  // have none that could be seen.
  bool had_processes() const { return had_children_ || !is_mpirun_; }
  // mpirun is still there and none of its processes: it ends the sooner the oftener Poll() is called.
  bool alone() const { return alone_since_.has_value(); }

 private:
  void KillStuckLauncher();

  const bool is_mpirun_;
  pid_t launcher_ = -1;
  std::optional<Ending> ending_;
  bool had_children_ = false;
  std::optional<std::chrono::steady_clock::time_point> alone_since_;  // since all processes of the launcher have ended
};

}  // namespace gan::launch
