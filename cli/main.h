// The main function that the five programs share: it parses the flags, reports every error in one place, and returns
// the exit codes that README.md lists.
#pragma once

#include <exception>
#include <functional>
#include <stdexcept>
#include <string>

#include <CLI/CLI.hpp>

namespace gan::cli {

enum ExitCode : int {
  kDone = 0,
  kFailure = 1,
  kUsage = 2,
  kBadData = 3,
  kDiverged = 4,       // do not requeue
  kStoppedSaved = 75,  // stopped on request after saving: requeue (EX_TEMPFAIL)
};

// The environment variable with the number of restarts that gan-launch has made. The ranks export it as a metric.
inline constexpr const char* kRestartsVariable = "GAN_LAUNCH_RESTARTS";

// Training diverged: a number is not finite, and no healthy checkpoint is left to roll back to.
class DivergedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Adds --config, --print-config, --version (which prints `build_facts`), --help and --help-all to `app`. Call it after
// all other flags are declared, because it also makes an empty value a usage error for each of them.
void AddStandardFlags(CLI::App& app, const std::string& build_facts);

// Whether other processes of the same job do the same work and meet the same errors.
enum class Company { kAlone, kRanks };

// Parses argv, then calls `body`, whose result is the exit code. Every error is reported in one line on stderr
// ("gan-train: [rank 2] reason") and determines the exit code. --help, --version and --print-config print their text
// and return 0. With kRanks only the first rank of a job reports errors in flags. When the program is the first process
// of a container, INT and TERM still end it.
int RunMain(CLI::App& app, int argc, char** argv, Company company, const std::function<int()>& body);
// For a program that does not run as several ranks.
int RunMain(CLI::App& app, int argc, char** argv, const std::function<int()>& body);

// The exit code that RunMain returns for this error.
int ExitCodeOf(const std::exception_ptr& error);

// Sets the prefix of error lines ("[rank 2] "). It is empty until the rank is known and in jobs of one rank.
void SetErrorPrefix(std::string prefix);

}  // namespace gan::cli
