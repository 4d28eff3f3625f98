// gan-launch's command line: own flags, what is handed to mpirun or srun, and the program after "--".
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace gan::launch {

struct LaunchOptions {
  std::uint64_t ranks = 1;
  std::string launcher = "mpirun";              // or srun
  std::uint64_t max_restarts = 100;             // 0: none
  std::uint64_t allow_fewer_ranks = 0;          // the fewest to go on with when a host is gone; 0: only with all
  double backoff_seconds = 1;                   // before the first restart; doubled by each one without progress
  std::uint64_t kill_after_seconds = 5;         // between mpirun's TERM and KILL of the ranks of a job that fails
  bool check = false;                           // look at everything, start nothing
  std::vector<std::string> launcher_arguments;  // everything before "--" that is not ours
  std::vector<std::string> program;             // everything behind it
};

// The flags on `app`, grouped.
void AddLaunchFlags(CLI::App& app, LaunchOptions& options);

// Takes the program and the launcher's arguments out of `arguments` (without argv[0]); what is left is for `app`.
std::vector<std::string> SplitArguments(const CLI::App& app, const std::vector<std::string>& arguments,
                                        LaunchOptions& options);

// The value of `--name VALUE` or `--name=VALUE` among the program's arguments; the last one counts, "" when absent.
std::string ProgramFlag(const std::vector<std::string>& program, const std::string& name);

// The run folder that the program was told. Throws UsageError when it was told none: a restart would begin anew.
std::filesystem::path RunFolderOf(const LaunchOptions& options);

// No host but this one is named to the launcher.
bool OnThisHostAlone(const LaunchOptions& options);

// The whole command of one attempt: launcher, its settings, `ranks`, program.
std::vector<std::string> JobCommand(const LaunchOptions& options, std::uint64_t ranks,
                                    const std::vector<std::string>& program);

}  // namespace gan::launch
