// One attempt: a launcher (mpirun or srun) and its ranks, in a separate process group.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace gan::launch {

// How a process ended: its exit code, or 128 + the signal that ended it, as in a shell.
struct Ending {
  int code = 0;
  bool by_signal = false;
};
std::string Describe(const Ending& ending);

// Blocks the signals that Job waits for (threads started later inherit this), and makes this process the parent of
// orphaned ranks on this host, so that none of them outlives an attempt. Call it once, before the first Job.
void BecomeSupervisor();

// Waits for SIGCHLD, SIGTERM, SIGINT, SIGHUP or SIGUSR1 and returns it, or returns 0 after `patience`. Requires
// BecomeSupervisor().
int WaitForSignal(std::chrono::milliseconds patience);

// Owns the processes: after the destructor none of them runs on this host. Not thread-safe.
class Job {
 public:
  // Starts `command` (searched in PATH), which writes its errors to the open file `errors`. Throws IoError when it
  // cannot be started.
  Job(const std::vector<std::string>& command, int errors);
  ~Job();  // kills the processes that still run
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // How the launcher ended, or nothing while it runs. Also reaps all other processes that have ended. If a signal ended
  // the launcher and a rank that it left behind has an exit code, that exit code is returned. An mpirun that stays for
  // seconds after all of its processes have ended is killed. Call it at least once per second.
  std::optional<Ending> Poll();
  // Sends a signal to the launcher alone, which forwards USR1 to its ranks on all hosts.
  void Signal(int signal) const;
  // Sends SIGKILL to the launcher and to every process on this host that descends from it, and waits until they are
  // gone. Spares the commands of alerts (monitoring/push/command.h).
  void Kill();
  // Whether mpirun has started a process: a rank on this host or the remote shell for another host. Always true for
  // other launchers, whose processes cannot be observed.
  bool had_processes() const { return had_children_ || !is_mpirun_; }
  // Whether mpirun still runs although all of its processes have ended. Frequent calls of Poll() then shorten the wait.
  bool alone() const { return alone_since_.has_value(); }

 private:
  void KillStuckLauncher();

  const bool is_mpirun_;
  pid_t launcher_ = -1;
  std::optional<Ending> ending_;
  bool had_children_ = false;
  std::optional<std::chrono::steady_clock::time_point> alone_since_;  // when the launcher's last process ended
};

}  // namespace gan::launch
