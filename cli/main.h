// What the five programs share: one parse at the top, one catch at the top, the exit codes of the contract.
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

// The environment variable in which gan-launch tells the ranks how often it has started the job again.
inline constexpr const char* kRestartsVariable = "GAN_LAUNCH_RESTARTS";

// Training left the range of finite numbers and no healthy checkpoint was left to go back to.
class DivergedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Adds --config FILE.toml, --print-config and --version (with `build_facts` as its lines) to `app`.
void AddStandardFlags(CLI::App& app, const std::string& build_facts);

// Whether other processes of the job, if there is one, do the same work and meet the same errors.
enum class Company { kAlone, kRanks };

// Parses argv, then calls `body`, whose result is the exit code. Every error ends in one line on stderr
// ("gan-train: [rank 2] what happened") and its exit code. --help, --version and --print-config print and return 0.
// With kRanks only the first rank of a job speaks of flags. As the first process of a container it heeds INT and TERM.
int RunMain(CLI::App& app, int argc, char** argv, Company company, const std::function<int()>& body);
// For a program that is alone.
int RunMain(CLI::App& app, int argc, char** argv, const std::function<int()>& body);

// The exit code that RunMain gives for this error.
int ExitCodeOf(const std::exception_ptr& error);

// Named in front of error lines once the rank is known ("[rank 2] "); empty before and for one rank.
void SetErrorPrefix(std::string prefix);

}  // namespace gan::cli
