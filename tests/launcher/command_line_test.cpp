#include "launcher/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/main.h"
#include "storage/errors.h"

namespace gan::launch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;

struct Parsed {
  LaunchOptions options;
  std::vector<std::string> own;
};

Parsed Parse(const std::vector<std::string>& arguments) {
  Parsed parsed;
  CLI::App app;
  AddLaunchFlags(app, parsed.options);
  parsed.own = SplitArguments(app, arguments, parsed.options);
  std::vector<std::string> reversed(parsed.own.rbegin(), parsed.own.rend());
  app.parse(reversed);
  return parsed;
}

TEST(CommandLine, OwnFlagsMpirunFlagsAndProgramAreTakenApart) {
  const Parsed p = Parse({"-np", "4", "-x", "NAME", "--max-restarts", "7", "--mca", "btl", "self", "--oversubscribe",
                          "--", "gan-train", "--run", "r", "--max-restarts", "9"});
  EXPECT_EQ(p.options.ranks, 4U);
  EXPECT_EQ(p.options.max_restarts, 7U);
  EXPECT_THAT(p.options.launcher_arguments, ElementsAre("-x", "NAME", "--mca", "btl", "self", "--oversubscribe"));
  EXPECT_THAT(p.options.program, ElementsAre("gan-train", "--run", "r", "--max-restarts", "9"));
}

TEST(CommandLine, FlagWithoutValueDoesNotSwallowTheNextArgument) {
  const Parsed p = Parse({"--check", "--host", "a,b", "-n", "2", "--", "gan-train"});
  EXPECT_TRUE(p.options.check);
  EXPECT_THAT(p.options.launcher_arguments, ElementsAre("--host", "a,b"));
  EXPECT_EQ(p.options.ranks, 2U);
}

TEST(CommandLine, HostfileInOneWordIsFoundToo) {
  const Parsed p = Parse({"--hostfile=h=1", "--host=a,b", "--map-by=node", "-x", "A=1", "--", "gan-train"});
  EXPECT_THAT(p.options.launcher_arguments,
              ElementsAre("--hostfile", "h=1", "--host", "a,b", "--map-by=node", "-x", "A=1"));
  EXPECT_FALSE(OnThisHostAlone(p.options));
}

TEST(CommandLine, OneHostStaysOnSharedMemoryAndLoopback) {
  const Parsed p = Parse({"-np", "2", "--kill-after", "9", "--", "gan-train"});
  EXPECT_THAT(JobCommand(p.options, 2, p.options.program),
              ElementsAre("mpirun", "--mca", "odls_base_sigkill_timeout", "9", "--mca", "btl", "self,vader", "--mca",
                          "oob_tcp_if_include", "lo", "-x", cli::kRestartsVariable, "-np", "2", "gan-train"));
}

TEST(CommandLine, OpenMpi5HasNamesOfItsOwn) {
  Parsed p = Parse({"-np", "2", "--", "gan-train"});
  p.options.runtime = open_mpi::Runtime::kPrrte;
  EXPECT_THAT(JobCommand(p.options, 2, p.options.program),
              ElementsAre("mpirun", "--mca", "btl", "self,sm", "-x", cli::kRestartsVariable, "-np", "2", "gan-train"));
  p = Parse({"--host", "a,b", "--prtemca", "plm_ssh_args", "-v", "--", "gan-train"});
  p.options.runtime = open_mpi::Runtime::kPrrte;
  const std::vector<std::string> command = JobCommand(p.options, 1, p.options.program);
  EXPECT_EQ(std::count(command.begin(), command.end(), "prte_leave_session_attached"), 1);
  EXPECT_EQ(std::count(command.begin(), command.end(), "plm_ssh_args"), 1);
}

TEST(CommandLine, UsersOwnMcaParameterWins) {
  const Parsed p = Parse({"--mca", "btl", "tcp,self", "--", "gan-train"});
  const std::vector<std::string> command = JobCommand(p.options, 1, p.options.program);
  EXPECT_EQ(std::count(command.begin(), command.end(), "btl"), 1);
  EXPECT_THAT(command, IsSupersetOf({std::string("tcp,self")}));
}

TEST(CommandLine, SeveralHostsKeepTheNetwork) {
  for (const char* flag : {"--hostfile", "-H", "--host"}) {
    const Parsed p = Parse({flag, "hosts", "--", "gan-train"});
    EXPECT_FALSE(OnThisHostAlone(p.options)) << flag;
    const std::vector<std::string> command = JobCommand(p.options, 1, p.options.program);
    EXPECT_EQ(std::count(command.begin(), command.end(), "btl"), 0) << flag;
  }
}

// Sets a variable while the test runs.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

std::vector<std::string> WithHostfileOfEnvironment(LaunchOptions options, open_mpi::Runtime runtime) {
  options.runtime = runtime;
  TakeHostfileOfEnvironment(options);
  return options.launcher_arguments;
}

// Kubernetes' operators name the hosts in this way. On loopback and shared memory the ranks would not reach each other.
TEST(CommandLine, HostfileOfTheEnvironmentIsLikeTheFlag) {
  constexpr auto kOrte = open_mpi::Runtime::kOrte, kPrrte = open_mpi::Runtime::kPrrte;
  Parsed p = Parse({"-np", "2", "--", "gan-train"});
  const Variable hosts("OMPI_MCA_orte_default_hostfile", "/etc/mpi/hostfile");
  EXPECT_THAT(WithHostfileOfEnvironment(p.options, kPrrte), IsEmpty());
  EXPECT_THAT(WithHostfileOfEnvironment(p.options, kOrte), ElementsAre("--hostfile", "/etc/mpi/hostfile"));
  const Variable of_5("PRTE_MCA_prte_default_hostfile", "none");
  EXPECT_THAT(WithHostfileOfEnvironment(p.options, kPrrte), IsEmpty());
  EXPECT_THAT(WithHostfileOfEnvironment(Parse({"-H", "a", "--", "gan-train"}).options, kOrte), ElementsAre("-H", "a"));
  const Parsed srun = Parse({"--launcher", "srun", "--", "gan-train"});
  EXPECT_THAT(WithHostfileOfEnvironment(srun.options, kOrte), IsEmpty());
  TakeHostfileOfEnvironment(p.options);
  EXPECT_FALSE(OnThisHostAlone(p.options));
}

TEST(CommandLine, HostfileOfTheEnvironmentGivesWayToSlurm) {
  const Variable hosts("OMPI_MCA_orte_default_hostfile", "/etc/mpi/hostfile"), nodes("SLURM_JOB_NUM_NODES", "1");
  const Parsed p = Parse({"-np", "2", "--", "gan-train"});
  EXPECT_THAT(WithHostfileOfEnvironment(p.options, open_mpi::Runtime::kOrte), IsEmpty());
}

TEST(CommandLine, HostsOfABatchSystemKeepTheNetwork) {
  const std::string file = testing::TempDir() + "hosts_of_job";
  const Parsed p = Parse({"-np", "2", "--", "gan-train"});
  for (const char* variable : {"PE_HOSTFILE", "PBS_NODEFILE", "LSB_DJOB_HOSTFILE"}) {
    const Variable hosts(variable, file);
    std::ofstream(file) << "node1 4 all.q\nnode1 4 all.q\n\n";
    EXPECT_TRUE(OnThisHostAlone(p.options)) << variable;
    std::ofstream(file) << "node1\nnode1\nnode2\n";
    EXPECT_FALSE(OnThisHostAlone(p.options)) << variable;
    std::filesystem::remove(file);
    EXPECT_TRUE(OnThisHostAlone(p.options)) << variable;
  }
}

TEST(CommandLine, SrunGetsPmixAndKillsOnBadExit) {
  const Parsed p = Parse({"--launcher", "srun", "-n", "3", "-p", "gpu", "--", "gan-train"});
  EXPECT_THAT(JobCommand(p.options, 3, p.options.program),
              ElementsAre("srun", "--mpi=pmix", "--kill-on-bad-exit=1", "-n", "3", "-p", "gpu", "gan-train"));
}

TEST(CommandLine, SrunsCpusPerRankAreNoRanks) {
  for (const std::vector<std::string>& launcher :
       {std::vector<std::string>{"--launcher", "srun"}, {"--launcher=srun"}}) {
    std::vector<std::string> arguments = {"-n", "16", "-c", "4"};
    arguments.insert(arguments.end(), launcher.begin(), launcher.end());
    arguments.insert(arguments.end(), {"--", "gan-train"});
    const Parsed p = Parse(arguments);
    EXPECT_EQ(p.options.ranks, 16U);
    EXPECT_THAT(p.options.launcher_arguments, ElementsAre("-c", "4"));
  }
  EXPECT_EQ(Parse({"-c", "4", "--", "gan-train", "--launcher", "srun"}).options.ranks, 4U);
}

TEST(CommandLine, RunFolderIsReadFromTheProgramsFlags) {
  EXPECT_EQ(RunFolderOf(Parse({"--", "gan-train", "--run", "a", "--run=b"}).options), "b");
  EXPECT_THROW(RunFolderOf(Parse({"--", "gan-train", "--out", "runs"}).options), UsageError);
  EXPECT_THROW(RunFolderOf(Parse({"-np", "2"}).options), UsageError);
}

}  // namespace
}  // namespace gan::launch
