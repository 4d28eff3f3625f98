#include "launcher/supervisor.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <thread>

#include "cli/log.h"
#include "cli/main.h"
#include "launcher/diagnosis.h"
#include "launcher/evidence.h"
#include "launcher/hosts.h"
#include "launcher/incurable.h"
#include "launcher/job.h"
#include "launcher/newest_checkpoint.h"
#include "launcher/programs.h"
#include "launcher/report.h"
#include "launcher/restart_policy.h"
#include "storage/counted.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::launch {

namespace fs = std::filesystem;

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPollInterval{500};
constexpr milliseconds kShortPollInterval{20};
constexpr std::chrono::seconds kRankTimeout{10};

// After a gan-launch was killed, its ranks end by themselves within moments, but lock the run folder until then. The
// lock is taken only to check that it is free, and released at once for the new ranks.
void AwaitFree(const fs::path& run) {
  const auto deadline = steady_clock::now() + kRankTimeout;
  while (true) {
    try {
      const storage::FolderLock probe(run);
      return;
    } catch (const UsageError&) {
      if (steady_clock::now() > deadline) throw;
      std::this_thread::sleep_for(kPollInterval / 5);
    }
  }
}

// Runs attempts until one ends with a final exit code or no restart is allowed. An attempt places the ranks, begins to
// collect evidence, starts the launcher, watches it, and ends the remaining processes of the job. Then the evidence
// becomes a diagnosis, the exit code or the policy decides, and the next attempt begins after a pause.
class Supervisor {
 public:
  Supervisor(const LaunchOptions& options, fs::path run)
      : options_(options),
        run_(std::move(run)),
        hosts_(HostsOf(options.launcher_arguments)),
        newest_(run_),
        report_(run_),
        evidence_(options.ranks) {
    program_ = options.program;
    program_.front() = BesideThisProgram(program_.front());
  }

  // The order of the checks matters: a request of the user comes first, then exit codes that forbid a restart, then
  // causes that no restart can cure. A job that was asked to stop gets no diagnosis, whatever its ranks have written.
  int Run() {
    const std::optional<std::uint64_t> step_before = newest_.Step();
    RestartPolicy policy({.ranks = options_.ranks,
                          .max_restarts = options_.max_restarts,
                          .fewest_ranks = options_.allow_fewer_ranks,
                          .backoff_seconds = options_.backoff_seconds},
                         step_before);
    std::uint64_t ranks = options_.ranks;
    while (true) {
      Ending ending = Attempt(ranks);
      started_ = true;
      if (!stop_ && !interrupted_) {
        const Evidence evidence = evidence_.Of(ending, run_, placed_);
        ending = evidence.ending;
        diagnosis_ = Diagnose(evidence);
      }
      if (const std::string died = Sentence(diagnosis_); !died.empty()) cli::LogError("why: " + died);
      if (interrupted_) return Finish("interrupted", 128 + SIGINT, "ended at once on a second INT");
      if (IsFinal(ending, policy.restarts() == 0)) return FinishWithCode(ending.code);
      // Once an attempt has had ranks, the command itself is right, and restarts are worth trying.
      if (!had_processes_ && !ending.by_signal && !stop_) return FailedToStart(ending);
      const auto step = newest_.Step();
      if (stop_) return StoppedUnsaved(ending, step);
      if (const std::string why = WhyIncurable(options_, run_, step != step_before); !why.empty()) {
        return Finish("failed", ending.code, Describe(ending) + "; " + why + "; a restart would not help");
      }
      const Decision decision = policy.After(ending, step);
      if (!decision.restart) return Finish("failed", ending.code, decision.why);
      Announce(decision, step, policy.restarts());
      if (!Sleep(decision.wait_seconds)) return Finish("stopped", cli::kStoppedSaved, "stopped between two attempts");
      ranks = decision.ranks;
    }
  }

 private:
  Ending Attempt(std::uint64_t ranks) {
    placed_ = Placed(ranks);
    diagnosis_ = {};
    // After Placed(), whose remote shells must end before a job exists (Unreachable), and before the job, which writes
    // to the pipe.
    evidence_.Begin();
    const auto start = steady_clock::now();
    ::setenv(cli::kRestartsVariable, std::to_string(restarts_).c_str(), /*overwrite=*/1);
    cli::LogInfo("starting " + storage::Counted(placed_.ranks, "rank") + " with " + placed_.launcher);
    Job job(JobCommand(placed_, placed_.ranks, Program()), evidence_.descriptor());
    while (true) {
      if (const auto ending = job.Poll()) {
        job.Kill();  // ends ranks that have lost their launcher
        had_processes_ |= job.had_processes();
        const double seconds = std::chrono::duration<double>(steady_clock::now() - start).count();
        char text[32];
        std::snprintf(text, sizeof text, " after %.1f s", seconds);
        cli::LogInfo("the job " + Describe(*ending) + text);
        return *ending;
      }
      // Checks often at the beginning, to notice ranks that end at once, and at the end, when the user may be waiting.
      const bool often = stop_ || job.alone() || !job.had_processes();
      HandleSignal(WaitForSignal(often ? kShortPollInterval : kPollInterval), job);
      if (interrupted_) {
        job.Kill();
        return {128 + SIGINT, false};
      }
    }
  }

  LaunchOptions Placed(std::uint64_t ranks) const {
    LaunchOptions placed = options_;
    placed.ranks = ranks;
    // The first attempt uses the hosts as given: a missing host is then a mistake that mpirun reports.
    if (!started_ || options_.launcher != "mpirun" || hosts_.empty()) return placed;
    const std::vector<std::string> gone = Unreachable(hosts_, options_.launcher_arguments);
    if (gone.empty()) return placed;
    std::string names;
    for (const std::string& name : gone) names += (names.empty() ? "" : ", ") + name;
    const auto placement = PlaceWithout(gone, hosts_, ranks, options_.allow_fewer_ranks);
    if (!placement) {
      cli::LogWarning(
          names + " cannot be reached, and the other hosts have too few slots; starting the job nevertheless" +
          (options_.allow_fewer_ranks == 0 ? " (--allow-fewer-ranks would allow to continue without them)" : ""));
      return placed;
    }
    cli::LogWarning(names + " cannot be reached; continuing without, with " +
                    storage::Counted(placement->ranks, "rank"));
    const fs::path hostfile = run_ / "launch.hosts";
    storage::WriteFileAtomically(hostfile, HostfileText(placement->hosts));
    placed.ranks = placement->ranks;
    placed.launcher_arguments = WithHostfile(options_.launcher_arguments, hostfile);
    return placed;
  }

  // The program with its flags. A restart resumes from the newest checkpoint, whatever --resume was in the first
  // attempt.
  std::vector<std::string> Program() const {
    std::vector<std::string> program = program_;
    if (started_ && newest_.Exists() && !ProgramFlag(program, "--resume").empty()) {
      // Appended, because the last value of a flag counts.
      program.insert(program.end(), {"--resume", "auto"});
    }
    return program;
  }

  // SIGUSR1 makes the ranks save and stop. SIGTERM is not forwarded, because mpirun would kill the ranks.
  void HandleSignal(int signal, Job& job) {
    if (signal == 0 || signal == SIGCHLD) return;
    if (signal == SIGINT && stop_by_interrupt_) {
      interrupted_ = true;
      return;
    }
    stop_by_interrupt_ |= signal == SIGINT;
    if (stop_) return;
    stop_ = true;
    cli::LogInfo(std::string(strsignal(signal)) + ": requesting the ranks to save and stop" +
                 (signal == SIGINT ? "; a second INT ends them at once" : ""));
    job.Signal(SIGUSR1);
  }

  // Returns whether the time has passed without a request to stop.
  bool Sleep(double seconds) {
    const auto end = steady_clock::now() + std::chrono::duration<double>(seconds);
    while (steady_clock::now() < end) {
      const int signal = WaitForSignal(milliseconds(100));
      if (signal != 0 && signal != SIGCHLD) return false;
    }
    return true;
  }

  void Announce(const Decision& decision, const std::optional<std::uint64_t>& step, std::uint64_t restart) {
    char wait[32];
    std::snprintf(wait, sizeof wait, "%.1f s", decision.wait_seconds);
    cli::LogWarning("the job " + decision.why + "; restart " + std::to_string(restart) + " in " + wait + " with " +
                    storage::Counted(decision.ranks, "rank") + ", " + StepText(step));
    restarts_ = restart;
    report_.Tell({"restarting", 0, decision.why, restarts_, step, diagnosis_});
  }

  int FinishWithCode(int code) {
    switch (code) {
      case cli::kDone:
        return Finish("finished", code, "finished");
      case cli::kStoppedSaved:
        return Finish("stopped", code, "saved and stopped on request; the same command continues the run");
      case cli::kDiverged:
        return Finish("diverged", code, "training diverged; a restart would not help");
      default:
        return Finish("failed", code, "ended with exit code " + std::to_string(code) + "; a restart would not help");
    }
  }

  // mpirun ended before it started a rank, for example because of an unknown flag or too few slots.
  int FailedToStart(const Ending& ending) {
    return Finish("failed", ending.code,
                  "mpirun " + Describe(ending) + ", and no rank was started; a restart would not help");
  }

  // Exit code 75 nevertheless: the same command continues from the newest checkpoint.
  int StoppedUnsaved(const Ending& ending, const std::optional<std::uint64_t>& step) {
    return Finish("stopped", cli::kStoppedSaved,
                  "stopped on request, but the job " + Describe(ending) + " before it could save; " + StepText(step) +
                      " is the newest one");
  }

  int Finish(const std::string& state, int code, const std::string& why) {
    const auto step = newest_.Step();
    const std::string text =
        why + "; " + storage::Counted(restarts_, "restart") + ", " + StepText(step) + ", " + run_.string();
    if (state == "failed" || state == "diverged") {
      cli::LogError(text);
    } else {
      cli::LogInfo(text);
    }
    report_.Tell({state, code, why, restarts_, step, diagnosis_});
    return code;
  }

  const LaunchOptions& options_;
  const fs::path run_;
  const std::vector<Host> hosts_;  // in mpirun's arguments
  NewestCheckpoint newest_;
  Report report_;
  EvidenceCollector evidence_;
  LaunchOptions placed_;  // of the newest attempt
  Diagnosis diagnosis_;   // of the attempt that ended last
  std::vector<std::string> program_;
  std::uint64_t restarts_ = 0;
  bool started_ = false;            // at least one attempt has ended
  bool had_processes_ = false;      // an attempt has started ranks
  bool stop_ = false;               // a stop was requested
  bool stop_by_interrupt_ = false;  // by INT, so that the next INT is the second one
  bool interrupted_ = false;
};

}  // namespace

int Supervise(const LaunchOptions& options, const fs::path& run) {
  storage::MakeFolders(run);
  // The lock comes before the log, which would otherwise get lines of two supervisors. Signals are blocked before
  // Supervisor starts the threads of alerts, which inherit that: a signal must reach only WaitForSignal().
  // a second supervisor would restart the job that the first one stops
  const storage::FolderLock lock(run, ".launch.lock");
  AwaitFree(run);
  cli::OpenLog("gan-launch", run / "launch.log");
  BecomeSupervisor();
  return Supervisor(options, run).Run();
}

}  // namespace gan::launch
