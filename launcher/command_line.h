// The command line of gan-launch: its own flags, arguments for mpirun or srun, and, after "--", the program.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "open_mpi/runtime.h"

namespace gan::launch {

struct LaunchOptions {
  std::uint64_t ranks = 1;
  std::string launcher = "mpirun";       // or srun
  std::uint64_t max_restarts = 100;      // 0: never restart
  std::uint64_t allow_fewer_ranks = 0;   // minimum number of ranks to continue with; 0: only with all ranks
  double backoff_seconds = 1;            // delay before the first restart; doubled by every restart without progress
  std::uint64_t kill_after_seconds = 5;  // between SIGTERM and SIGKILL, which mpirun sends to the ranks of a failed job
  open_mpi::Runtime runtime = open_mpi::Runtime::kOrte;  // of mpirun
  bool check = false;                                    // run the checks and exit without training
  std::string alert_webhook, alert_command;              // secret
  std::vector<std::string> launcher_arguments;           // every argument before "--" that is not a flag of gan-launch
  std::vector<std::string> program;                      // every argument after "--"
};

// Declares the flags on `app`, in groups.
void AddLaunchFlags(CLI::App& app, LaunchOptions& options);

// Moves the program and the launcher's arguments from `arguments` (without argv[0]) to `options` and returns the rest,
// which `app` parses.
std::vector<std::string> SplitArguments(const CLI::App& app, const std::vector<std::string>& arguments,
                                        LaunchOptions& options);

// The value of `--name VALUE` or `--name=VALUE` among the program's arguments; the last one counts, "" when absent.
std::string ProgramFlag(const std::vector<std::string>& program, const std::string& name);

// The value of the program's --run. Throws UsageError when it is missing, because a restart would then begin a new run.
std::filesystem::path RunFolderOf(const LaunchOptions& options);

// Adds the hostfile that the environment names to the launcher's arguments where they name no hosts. Call it when the
// runtime is known.
void TakeHostfileOfEnvironment(LaunchOptions& options);

// Whether all ranks run on this host, because neither the launcher's arguments nor a batch system name another host.
bool OnThisHostAlone(const LaunchOptions& options);

// The complete command of one attempt: the launcher, its settings, the number of ranks and the program.
std::vector<std::string> JobCommand(const LaunchOptions& options, std::uint64_t ranks,
                                    const std::vector<std::string>& program);

}  // namespace gan::launch
