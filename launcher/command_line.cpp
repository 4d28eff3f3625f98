#include "launcher/command_line.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>

#include "cli/flags.h"
#include "cli/main.h"
#include "launcher/hosts.h"
#include "launcher/secrets.h"
#include "storage/errors.h"

namespace gan::launch {

namespace fs = std::filesystem;

namespace {

// mpirun's arguments that select hosts; one of them means that ranks may run elsewhere.
// gan-launch has no list of the flags of mpirun and srun, so arguments that it has not declared are passed on unread.
// The flags named here are the exceptions, because gan-launch has to know how many ranks there are and where they run.
constexpr std::array<std::string_view, 8> kHostFlags = {
    "--host", "-host", "-H", "--hostfile", "-hostfile", "--machinefile", "-machinefile", "--default-hostfile"};

bool IsHostFlag(const std::string& name) {
  return std::find(kHostFlags.begin(), kHostFlags.end(), name) != kHostFlags.end();
}

constexpr const char* kSlurmNodes = "SLURM_JOB_NUM_NODES";
// The variables with which Grid Engine, PBS and LSF name a file of the hosts of a job: a line begins with a host, which
// may have several lines.
constexpr std::array kHostLists = {"PE_HOSTFILE", "PBS_NODEFILE", "LSB_DJOB_HOSTFILE"};

bool ListsSeveralHosts(const char* variable) {
  const char* file = std::getenv(variable);
  if (file == nullptr || !std::ifstream(file)) return false;
  const std::vector<Host> hosts = HostsInFile(file);
  return std::any_of(hosts.begin(), hosts.end(), [&](const Host& host) { return host.name != hosts.front().name; });
}

constexpr cli::Choice<std::string_view> kLaunchers[] = {cli::Word("mpirun", "Open MPI"), cli::Word("srun", "Slurm")};

// mpirun accepts all of these for the number of ranks. srun's -c is the number of CPUs per rank.
bool IsRankFlag(const std::string& argument, bool of_srun) {
  return argument == "-np" || argument == "--np" || argument == "-n" || (argument == "-c" && !of_srun);
}

// Whether the arguments contain "--mca NAME VALUE" or "--prtemca NAME VALUE" for `name`. The flag is compared by its
// end, so that -mca, --gmca and other spellings count as well.
bool Sets(const std::vector<std::string>& arguments, const std::string& name) {
  const auto found = std::find(arguments.begin(), arguments.end(), name);
  return found != arguments.end() && found != arguments.begin() && std::prev(found)->ends_with("mca");
}

// Adds those parameters that the user has set neither on the command line nor in the environment.
void AddParameters(std::vector<std::string>& command, const std::vector<std::string>& given,
                   const std::vector<open_mpi::Parameter>& parameters) {
  for (const open_mpi::Parameter& p : parameters) {
    if (Sets(given, p.name) || std::getenv(p.Variable().c_str()) != nullptr) continue;
    command.insert(command.end(), {p.flag, p.name, p.value});
  }
}

std::vector<std::string> MpirunCommand(const LaunchOptions& options, std::uint64_t ranks) {
  const std::vector<std::string>& given = options.launcher_arguments;
  std::vector<std::string> command = {"mpirun"};
  AddParameters(command, given, open_mpi::KillAfter(options.runtime, options.kill_after_seconds));
  AddParameters(command, given,
                OnThisHostAlone(options) ? open_mpi::OnOneHost(options.runtime)
                                         : open_mpi::OnSeveralHosts(options.runtime));  // Job::Poll relies on these
  // On other hosts mpirun sets no variables but its own and those that -x names. Without "=VALUE" it reads the value
  // from the environment, so no secret appears on a command line.
  command.insert(command.end(), {"-x", cli::kRestartsVariable, "-np", std::to_string(ranks)});
  for (const std::string& name : PassedVariables()) command.insert(command.end(), {"-x", name});
  command.insert(command.end(), given.begin(), given.end());
  return command;
}

std::vector<std::string> SrunCommand(const LaunchOptions& options, std::uint64_t ranks) {
  // PMIx, because srun's default may start every rank as a separate job; --kill-on-bad-exit, so that one failed rank
  // ends the job.
  std::vector<std::string> command = {"srun", "--mpi=pmix", "--kill-on-bad-exit=1", "-n", std::to_string(ranks)};
  command.insert(command.end(), options.launcher_arguments.begin(), options.launcher_arguments.end());
  return command;
}

}  // namespace

void AddLaunchFlags(CLI::App& app, LaunchOptions& o) {
  app.add_option("--ranks", o.ranks, "Number of ranks. -np N and -n N are the same.")
      ->check(CLI::Range(1, 1000000))
      ->group("Job")
      ->capture_default_str();
  cli::AddChoice(app, "--launcher", o.launcher, kLaunchers, "Program that starts the ranks.")->group("Job");
  app.add_flag("--check", o.check,
               "Check ranks, memory, disk space, ports, shards and the all-reduce, and exit without training.")
      ->group("Job");
  app.add_option("--max-restarts", o.max_restarts, "Maximum number of restarts. 0 never restarts.")
      ->group("Restarts")
      ->capture_default_str();
  app.add_option("--allow-fewer-ranks", o.allow_fewer_ranks,
                 "Minimum number of ranks to continue with after failed restarts. 0 keeps the number of ranks.")
      ->group("Restarts")
      ->capture_default_str();
  app.add_option("--backoff", o.backoff_seconds,
                 "Seconds to wait before a restart. Each restart without progress doubles them.")
      ->check(CLI::Range(0.0, 3600.0))
      ->group("Restarts")
      ->capture_default_str();
  app.add_option("--kill-after", o.kill_after_seconds,
                 "Seconds between SIGTERM and SIGKILL when mpirun ends the ranks of a failed job.")
      ->check(CLI::Range(0, 3600))
      ->group("Restarts")
      ->capture_default_str();
  cli::MarkSecret(app.add_option("--alert-webhook", o.alert_webhook,
                                 "Send alerts of the job and of the run as JSON to this address. Prefer @FILE or "
                                 "EQUIPOISE_ALERT_WEBHOOK, because other users can see a command line."))
      ->type_name("URL|@FILE")
      ->group("Alerts");
  cli::MarkSecret(app.add_option("--alert-command", o.alert_command,
                                 "Run this shell command for each alert, with the JSON on its standard input."))
      ->type_name("CMD|@FILE")
      ->group("Alerts");
}

std::vector<std::string> SplitArguments(const CLI::App& app, const std::vector<std::string>& arguments,
                                        LaunchOptions& options) {
  std::vector<std::string> own;
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  if (dashes != arguments.end()) options.program.assign(std::next(dashes), arguments.end());
  const bool of_srun = ProgramFlag({arguments.begin(), dashes}, "--launcher") == "srun";
  // Arguments that gan-launch does not declare belong to the launcher, with their values.
  for (auto next = arguments.begin(); next != dashes; ++next) {
    // CLI11 would read "-np" as the letters "n" and "p", so it gets --ranks in its place.
    const std::string name = IsRankFlag(*next, of_srun) ? "--ranks" : next->substr(0, next->find('='));
    // Other names with one dash, such as -x and -H, are mpirun's.
    const CLI::Option* option = name.starts_with("--") || name == "-h" ? app.get_option_no_throw(name) : nullptr;
    if (option == nullptr) {
      // Open MPI 5 also takes "--hostfile=FILE". Two words are read by both versions, and by all that looks for hosts
      // here.
      const bool is_joined = IsHostFlag(name) && name.size() < next->size();
      options.launcher_arguments.push_back(is_joined ? name : *next);
      if (is_joined) options.launcher_arguments.push_back(next->substr(name.size() + 1));
      continue;
    }
    own.push_back(name == "--ranks" && IsRankFlag(*next, of_srun) ? name : *next);
    // The value of a flag of gan-launch may be the next argument.
    const bool takes_next = option->get_expected_min() > 0 && next->find('=') == std::string::npos;
    if (takes_next && std::next(next) != dashes) own.push_back(*++next);
  }
  return own;
}

// As in CLI11, the last of several values counts.
std::string ProgramFlag(const std::vector<std::string>& program, const std::string& name) {
  std::string value;
  for (std::size_t i = 0; i < program.size(); ++i) {
    if (program[i] == name && i + 1 < program.size()) value = program[i + 1];
    if (program[i].starts_with(name + "=")) value = program[i].substr(name.size() + 1);
  }
  return value;
}

fs::path RunFolderOf(const LaunchOptions& options) {
  if (options.program.empty()) {
    throw UsageError("no program: gan-launch -np N [flags] -- gan-train --shards … --run … (--help lists the flags)");
  }
  const std::string run = ProgramFlag(options.program, "--run");
  if (run.empty())
    throw UsageError("the program needs --run DIR on its command line, so that a restart can continue it");
  return run;
}

void TakeHostfileOfEnvironment(LaunchOptions& options) {
  // In an allocation of Slurm mpirun does not use this file.
  if (options.launcher != "mpirun" || !OnThisHostAlone(options) || std::getenv(kSlurmNodes) != nullptr) return;
  const char* file = std::getenv(open_mpi::DefaultHostfileVariable(options.runtime));
  if (file == nullptr || *file == '\0' || std::string_view(file) == "none") return;
  options.launcher_arguments.insert(options.launcher_arguments.end(), {"--hostfile", file});
}

bool OnThisHostAlone(const LaunchOptions& options) {
  // In an allocation of several hosts, mpirun starts ranks on all of them even without arguments for hosts.
  const char* nodes = std::getenv(kSlurmNodes);
  if (nodes != nullptr && std::string(nodes) != "1") return false;
  if (std::any_of(kHostLists.begin(), kHostLists.end(), ListsSeveralHosts)) return false;
  const auto names_hosts = [](const std::string& argument) {
    return IsHostFlag(argument.substr(0, argument.find('=')));
  };
  return std::none_of(options.launcher_arguments.begin(), options.launcher_arguments.end(), names_hosts);
}

std::vector<std::string> JobCommand(const LaunchOptions& options, std::uint64_t ranks,
                                    const std::vector<std::string>& program) {
  std::vector<std::string> command =
      options.launcher == "srun" ? SrunCommand(options, ranks) : MpirunCommand(options, ranks);
  command.insert(command.end(), program.begin(), program.end());
  return command;
}

}  // namespace gan::launch
