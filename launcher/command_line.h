// The command line of gan-launch: its own flags, the arguments for mpirun or srun, and the program behind "--".
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace gan::launch {

struct LaunchOptions {
  std::uint64_t ranks = 1;
  std::string launcher = "mpirun";              // or srun
  std::uint64_t max_restarts = 100;             // 0: never restart
  std::uint64_t allow_fewer_ranks = 0;          // minimum number of ranks to continue with; 0: only with all
  double backoff_seconds = 1;                   // before the first restart; each one without progress doubles it
  std::uint64_t kill_after_seconds = 5;         // between mpirun's SIGTERM and SIGKILL of a failed job's ranks
  bool check = false;                           // check everything and exit without training
  std::vector<std::string> launcher_arguments;  // everything before "--" that is not ours
  std::vector<std::string> program;             // everything behind it
};

// The flags on `app`, grouped.
void AddLaunchFlags(CLI::App& app, LaunchOptions& options);

// Moves the program and the launcher's arguments from `arguments` (without argv[0]) to `options` and returns the rest,
// which `app` parses.
std::vector<std::string> SplitArguments(const CLI::App& app, const std::vector<std::string>& arguments,
                                        LaunchOptions& options);

// The value of `--name VALUE` or `--name=VALUE` among the program's arguments; the last one counts, "" when absent.
std::string ProgramFlag(const std::vector<std::string>& program, const std::string& name);

// The program's --run. Throws UsageError when there is none: a restart would begin a new run.
std::filesystem::path RunFolderOf(const LaunchOptions& options);

// No host but this one is named to the launcher.
bool OnThisHostAlone(const LaunchOptions& options);

// The whole command of one attempt: launcher, its settings, `ranks`, program.
std::vector<std::string> JobCommand(const LaunchOptions& options, std::uint64_t ranks,
                                    const std::vector<std::string>& program);

}  // namespace gan::launch
