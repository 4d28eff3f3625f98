#include "cli/main.h"

#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "cli/addresses.h"
#include "cli/flags.h"
#include "cli/help.h"
#include "cli/printable.h"
#include "cli/strict_toml.h"
#include "open_mpi/runtime.h"
#include "storage/errors.h"
#include "storage/warnings.h"

namespace gan::cli {

namespace {

constexpr const char* kNoGroup = "Options";  // CLI11's name for it
constexpr const char* kNoValue = "needs a value, and the one given is empty";

std::string& ErrorPrefix() {
  static std::string prefix;
  return prefix;
}

// Whether another rank reports an error that all ranks have in common, such as a mistyped flag: only the first rank of
// a job does. MPI is not initialised yet, but every launcher puts rank and size into the environment.
bool AnotherRankReports(Company company) {
  if (company == Company::kAlone) return false;
  constexpr std::pair<const char*, const char*> kLaunchers[] = {{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                                                {"PMI_RANK", "PMI_SIZE"},
                                                                {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS"}};
  for (const auto& [rank_name, size_name] : kLaunchers) {
    // A size of 1 decides nothing, because another launcher around this one may have started several processes.
    const char* rank = std::getenv(rank_name);
    const char* size = std::getenv(size_name);
    if (rank != nullptr && size != nullptr && std::string(size) != "1") return std::string(rank) != "0";
  }
  return false;
}

// The kernel delivers a signal to the first process of a container only if the process has a handler for it. Without
// these handlers, INT and TERM would have no effect.
void HandleSignalsAsFirstProcess() {
  if (::getpid() != 1) return;
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction action = {};
    if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) continue;
    // _exit and not exit: destructors and atexit functions are not safe in a signal handler. 128 + number is what a
    // shell reports for a process that the signal has ended.
    action.sa_handler = [](int number) { ::_exit(128 + number); };
    ::sigaction(signal, &action, nullptr);
  }
}

// Exceptions that are not derived from std::exception have no text.
std::string What(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown error";
  }
}

// CLI11's messages mention INI files, but --config reads TOML.
std::string InWords(const CLI::ParseError& result) {
  // A range that ends with the largest double: its 309 digits in CLI11 2.1, six of them in 2.4.
  constexpr std::string_view kNotInRange = " not in range ";
  constexpr std::string_view kEndless[] = {"0.000000 to 1797693", "[2.22507e-308 - 1.79769e+308]"};
  constexpr std::string_view kUnknownName = "INI was not able to parse ";  // CLI::ConfigError::Extras
  // A misspelt flag may precede an address that contains a password.
  std::string said = WithoutAddresses(result.what());
  const std::size_t value_end = said.find(kNotInRange);
  for (const std::string_view range : kEndless) {
    if (value_end == std::string::npos || !said.substr(value_end + kNotInRange.size()).starts_with(range)) continue;
    return said.substr(0, value_end) + " is too small or not finite";
  }
  if (!said.starts_with(kUnknownName)) return said;
  return "the file of --config contains the name of an unknown flag: " + said.substr(kUnknownName.size());
}

int ReportParseResult(CLI::App& app, const CLI::ParseError& result, Company company) {
  if (AnotherRankReports(company)) return result.get_exit_code() == 0 ? kDone : kUsage;
  if (result.get_exit_code() == 0) return app.exit(result);  // --help, --version
  std::cerr << app.get_name() << ": " << PrintableLines(InWords(result)) << " (--help lists the flags)\n";
  return kUsage;
}

// The resolved options as TOML that --config can read. CLI11 prints an option without value and default as "", which
// would be read back as an empty path or an invalid number, so such lines are left out.
std::string Config(const CLI::App& app) {
  std::istringstream all(app.config_to_str(/*default_also=*/true, /*write_description=*/false));
  std::string kept;
  for (std::string line; std::getline(all, line);) {
    const std::string name = line.substr(0, line.find('='));
    const CLI::Option* flag = app.get_option_no_throw("--" + name);
    const CLI::Option* option = flag != nullptr ? flag : app.get_option_no_throw(name);
    if (IsSecret("--" + name)) continue;
    if (line.ends_with("=\"\"") && option != nullptr && option->count() == 0) continue;
    kept += line + "\n";
  }
  return kept;
}

int PrintConfig(const CLI::App& app, Company company) {
  if (!AnotherRankReports(company)) std::cout << Config(app);
  return kDone;
}

// Why `text` is not a value for an option whose type CLI11 calls `type`; empty when it may be one. CLI11 itself reads
// "-1" and numbers that are too large as the largest number, and accepts NaN in its ranges.
std::string WhyNoValue(const std::string& type, const std::string& text) {
  if (text.empty()) return kNoValue;
  if (type == "UINT") {
    if (text.find('-') != std::string::npos) return text + " is not a whole number from 0";
    errno = 0;
    std::strtoull(text.c_str(), nullptr, 0);
    if (errno == ERANGE) return text + " is too large a number";
  }
  const bool is_nan = type == "FLOAT" && std::isnan(std::strtod(text.c_str(), nullptr));
  return is_nan ? text + " is not a number" : std::string();
}

// CLI11 reads "--steps= 7" as "--steps 7" and "--steps=" as 0. Both occur when a variable in a script is empty, and
// then neither is intended.
void RefuseEmptyValues(const CLI::App& app, int argc, char** argv) {
  for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i) {
    const std::string_view argument = argv[i];
    if (!argument.starts_with("--") || !argument.ends_with('=')) continue;
    const std::string name(argument.substr(0, argument.size() - 1));
    if (app.get_option_no_throw(name) != nullptr) throw CLI::ValidationError(name, kNoValue);
  }
}

// Errors of CLI11 are reported by RunMain.
int ParseAndRun(CLI::App& app, int argc, char** argv, const std::function<int()>& body, Company company) {
  RefuseEmptyValues(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError&) {
    // --print-config is meant to create a first configuration file, so a missing required flag is not an error for it.
    if (app.count("--print-config") == 0) throw;
  }
  // After parsing, which reads argv, and before `body`, which may run for days.
  HideSecrets(argc, argv);
  return app.count("--print-config") > 0 ? PrintConfig(app, company) : body();
}

int RunAndReport(CLI::App& app, int argc, char** argv, Company company, const std::function<int()>& body) {
  try {
    return ParseAndRun(app, argc, argv, body, company);
  } catch (const CLI::ParseError& result) {
    return ReportParseResult(app, result, company);
  } catch (...) {
    const std::exception_ptr error = std::current_exception();
    std::cerr << app.get_name() + ": " + ErrorPrefix() + PrintableLines(What(error)) + "\n";
    return ExitCodeOf(error);
  }
}

}  // namespace

void SetErrorPrefix(std::string prefix) { ErrorPrefix() = std::move(prefix); }

void AddStandardFlags(CLI::App& app, const std::string& build_facts) {
  app.formatter(std::make_shared<HelpFormatter>());
  for (CLI::Option* option : app.get_options()) {
    if (option->get_group() == kNoGroup) option->group("Flags");
  }
  app.config_formatter(std::make_shared<StrictToml>(app));
  app.set_config("--config", "", "Read flags from a TOML file. Flags on the command line override it.")
      ->type_name("FILE");
  app.allow_config_extras(CLI::config_extras_mode::error);  // a misspelt name must not be ignored
  for (CLI::Option* option : app.get_options()) {
    // When a flag is given twice, the last value counts, as is usual. Flags with several values collect all of them.
    if (option->get_expected_max() == 1) option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    // Before all other checks, whose messages would report a number out of range.
    const std::string type = option->get_type_name();
    const auto check = [type = type.substr(0, type.find(':'))](const std::string& text) {
      return WhyNoValue(type, text);
    };
    if (option->get_expected_min() > 0) option->transform(CLI::Validator(check, ""));
  }
  // These flags are declared behind the loop above, which is for the program's own flags.
  app.set_help_flag("-h,--help", "Print this help and exit.");
  app.set_help_all_flag("--help-all", "Print help on all flags, also on those that are rarely needed, and exit.");
  app.set_version_flag("--version", build_facts, "Print the version and the build facts and exit.");
  app.add_flag("--print-config")->description("Print the resolved options as TOML and exit.")->configurable(false);
}

// The table in README.md lists the codes.
int ExitCodeOf(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const UsageError&) {
    return kUsage;
  } catch (const DataError&) {
    return kBadData;
  } catch (const DivergedError&) {
    return kDiverged;
  } catch (...) {
    return kFailure;
  }
}

int RunMain(CLI::App& app, int argc, char** argv, const std::function<int()>& body) {
  return RunMain(app, argc, argv, Company::kAlone, body);
}

int RunMain(CLI::App& app, int argc, char** argv, Company company, const std::function<int()>& body) {
  // The storage layer prints warnings without the program's name.
  HandleSignalsAsFirstProcess();
  storage::SetWarningSink([name = app.get_name()](const std::string& text) {
    std::cerr << name + ": warning: " + PrintableLines(text) + "\n";
  });
  const int exit_code = RunAndReport(app, argc, argv, company, body);
  if (exit_code != kDone) open_mpi::LetLastWordsBeRead();
  return exit_code;
}

}  // namespace gan::cli
