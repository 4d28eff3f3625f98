#include "cli/main.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "cli/build_facts.h"
#include "storage/errors.h"
#include "storage/files.h"
#include "tests/storage/temporary_folder.h"

namespace {

pid_t process_number = 0;  // the result of getpid; 0: the real one

}  // namespace

extern "C" pid_t getpid() noexcept {
  return process_number != 0 ? process_number : static_cast<pid_t>(::syscall(SYS_getpid));
}

namespace gan::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Result {
  int code = -1;
  int steps = 0;
  std::string run;
  std::vector<std::string> inputs;
  double rate = 0;
  std::string out;
  std::string err;
};

// Sets variables of the environment as long as it lives.
class Variables {
 public:
  using Values = std::vector<std::pair<std::string, std::string>>;
  explicit Variables(Values values) : values_(std::move(values)) {
    for (const auto& [name, value] : values_) setenv(name.c_str(), value.c_str(), 1);
  }
  ~Variables() {
    for (const auto& item : values_) unsetenv(item.first.c_str());
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;

 private:
  Values values_;
};

Result Call(
    std::vector<std::string> args, const std::function<void()>& body = [] {}, Company company = Company::kAlone) {
  CLI::App app("A tool for tests", "gan-test");
  Result result;
  result.steps = 7;
  app.add_option("--steps", result.steps, "How many")->capture_default_str();
  app.add_option("--run", result.run, "Where, without a default");
  app.add_option("--in", result.inputs, "Several");
  app.add_option("--rate", result.rate, "A number that is not whole");
  bool strict = false;
  app.add_flag("--strict", strict, "Yes or no");
  std::uint64_t number = 0;
  app.add_option("--number", number, "A number without a default");
  std::string place;
  CLI::Option* path = app.add_option("PATH", place, "A place");
  if (std::find(args.begin(), args.end(), "--needs-path") != args.end()) path->required();
  app.add_flag("--needs-path")->configurable(false);
  AddStandardFlags(app, BuildFacts());
  args.insert(args.begin(), "gan-test");
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  result.code = RunMain(app, static_cast<int>(argv.size()), argv.data(), company, [&] {
    body();
    return static_cast<int>(kDone);
  });
  result.out = ::testing::internal::GetCapturedStdout();
  result.err = ::testing::internal::GetCapturedStderr();
  return result;
}

template <typename Error>
Result CallThrowing(const Error& error) {
  return Call({}, [&] { throw error; });
}

TEST(RunMain, EveryErrorHasItsExitCode) {
  EXPECT_EQ(Call({}).code, 0);
  EXPECT_EQ(CallThrowing(UsageError("x")).code, 2);
  EXPECT_EQ(CallThrowing(DataError("f", "x")).code, 3);
  EXPECT_EQ(CallThrowing(DivergedError("x")).code, 4);
  EXPECT_EQ(CallThrowing(IoError("f", "write", ENOSPC)).code, 1);
  EXPECT_EQ(CallThrowing(std::runtime_error("x")).code, 1);
  EXPECT_EQ(CallThrowing(42).code, 1);
}

TEST(RunMain, ErrorIsOneLineWithTheProgramsName) {
  const Result result = CallThrowing(DataError("a.gan", 12, "is torn"));
  EXPECT_EQ(result.err, "gan-test: a.gan at byte 12: is torn\n");
  EXPECT_EQ(result.out, "");
}

TEST(RunMain, RankIsNamedOnceKnown) {
  SetErrorPrefix("[rank 2] ");
  const Result result = CallThrowing(UsageError("no"));
  SetErrorPrefix("");
  EXPECT_EQ(result.err, "gan-test: [rank 2] no\n");
}

TEST(RunMain, MistypedFlagIsAUsageErrorOnOneLine) {
  const Result result = Call({"--stepz", "3"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, StartsWith("gan-test: "));
  EXPECT_THAT(result.err, HasSubstr("--stepz"));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1);
}

// A long list that was pasted after a misspelt name: the message is long as well, and the program ends as it does for a
// short list.
TEST(RunMain, AVeryLongMistypedFlagIsAUsageErrorToo) {
  const std::string letters(1'000'000, 'x');
  const Result result = Call({"--stepz" + letters, "https://user:secret@host"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--stepz" + letters));
  EXPECT_EQ(result.err.find("secret"), std::string::npos);
}

TEST(RunMain, OtherRanksOfAJobAreSilentAboutAMistypedFlag) {
  for (const auto& [rank, size] : {std::pair("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
                                   {"PMI_RANK", "PMI_SIZE"},
                                   {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS"}}) {
    const Variables job(Variables::Values{{rank, "3"}, {size, "4"}});
    const Result result = Call(
        {"--stepz", "3"}, [] {}, Company::kRanks);
    EXPECT_EQ(result.code, 2);
    EXPECT_EQ(result.err, "") << rank;
    const Variables first(Variables::Values{{rank, "0"}});
    EXPECT_NE(Call(
                  {"--stepz", "3"}, [] {}, Company::kRanks)
                  .err,
              "")
        << rank;
  }
}

TEST(RunMain, WhoIsAloneSpeaksWhateverItsNumber) {
  const Variables slurm(Variables::Values{{"SLURM_PROCID", "1"}});
  EXPECT_THAT(Call({"--stepz", "3"}).err, HasSubstr("--stepz"));
  EXPECT_THAT(Call(
                  {"--stepz", "3"}, [] {}, Company::kRanks)
                  .err,
              HasSubstr("--stepz"));
  const Variables many(Variables::Values{{"SLURM_STEP_NUM_TASKS", "4"}});
  EXPECT_THAT(Call({"--stepz", "3"}).err, HasSubstr("--stepz"));
  EXPECT_THAT(Call({"--print-config"}).out, HasSubstr("steps=7"));
}

// Does not capture the output, because a death test captures it itself.
void RunAndRaise(pid_t as_process, int signal) {
  process_number = as_process;
  CLI::App app("A tool for tests", "gan-test");
  AddStandardFlags(app, BuildFacts());
  std::string name = "gan-test";
  char* argv[] = {name.data()};
  RunMain(app, 1, argv, [&] { return std::raise(signal); });
}

// The kernel drops signals without a handler that are sent to the first process of a container.
TEST(RunMainDeathTest, AsTheFirstProcessItHeedsIntAndTerm) {
  for (const int signal : {SIGINT, SIGTERM}) {
    EXPECT_EXIT(RunAndRaise(1, signal), ::testing::ExitedWithCode(128 + signal), "");
    EXPECT_EXIT(RunAndRaise(0, signal), ::testing::KilledBySignal(signal), "");
  }
}

Result CallWithFile(const std::string& text) {
  const testing::TemporaryFolder folder;
  storage::WriteFileAtomically(folder / "c.toml", text);
  return Call({"--config", (folder / "c.toml").string()});
}

TEST(ConfigFile, OneValueWhereOneIsMeant) {
  for (const char* line : {"steps = 1,5", "steps = 1 5", "steps = [1,7]", "steps = [1, 7]", "rate = 0,1",
                           "rate = 1,5e-4", "rate = 0.0002 0.0003", "run = a b", "run = a,b"}) {
    const Result result = CallWithFile("# first\n\n" + std::string(line) + "  # more\n");
    EXPECT_EQ(result.code, 2) << line;
    EXPECT_THAT(result.err, HasSubstr("line 3: " + std::string(line).substr(0, std::string(line).find(' ')))) << line;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
}

TEST(ConfigFile, AKeyThatStandsTwiceIsAnError) {
  EXPECT_THAT(CallWithFile("steps = 1\nsteps = 2\n").err, HasSubstr("line 2: steps"));
  EXPECT_THAT(CallWithFile("steps = 1\nrun = \"a\"\nsteps = 2\n").err, HasSubstr("line 3: steps"));
}

TEST(ConfigFile, NoValueIsNoNumber) {
  EXPECT_THAT(CallWithFile("rate =\n").err, HasSubstr("line 1: rate has no value"));
  EXPECT_THAT(CallWithFile("steps = \"\"\n").err, HasSubstr("line 1: steps has no value"));
}

TEST(ConfigFile, WhatIsMeantIsRead) {
  const Result result = CallWithFile("steps = 12 # a dozen\nrun = \"a, b #1\"\nrate = 1.5e-4\nin = [\"x\", \"y z\"]\n");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.steps, 12);
  EXPECT_EQ(result.run, "a, b #1");
  EXPECT_DOUBLE_EQ(result.rate, 1.5e-4);
  EXPECT_THAT(result.inputs, ::testing::ElementsAre("x", "y z"));
}

TEST(RunMain, WrongValueAndMissingConfigFileAreUsageErrors) {
  EXPECT_EQ(Call({"--steps", "many"}).code, 2);
  EXPECT_EQ(Call({"--config", "/nonexistent.toml"}).code, 2);
}

TEST(RunMain, FlagWinsOverTheConfigFile) {
  const testing::TemporaryFolder folder;
  storage::WriteFileAtomically(folder / "c.toml", "steps = 11\n");
  const std::string config = (folder / "c.toml").string();
  EXPECT_EQ(Call({"--config", config}).steps, 11);
  EXPECT_EQ(Call({"--config", config, "--steps", "12"}).steps, 12);
}

TEST(RunMain, AMisspeltNameInTheConfigFileIsAUsageErrorThatNamesIt) {
  const testing::TemporaryFolder folder;
  storage::WriteFileAtomically(folder / "c.toml", "stepz = 11\n");
  const Result result = Call({"--config", (folder / "c.toml").string()});
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.err.find("stepz"), std::string::npos) << result.err;
}

TEST(RunMain, PrintedConfigCanBeReadBackAndRunsNothing) {
  bool ran = false;
  const Result printed = Call({"--steps", "13", "--print-config"}, [&] { ran = true; });
  EXPECT_EQ(printed.code, 0);
  EXPECT_FALSE(ran);
  const testing::TemporaryFolder folder;
  storage::WriteFileAtomically(folder / "c.toml", printed.out);
  const Result again = Call({"--config", (folder / "c.toml").string()}, [&] { ran = true; });
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.steps, 13);
  EXPECT_TRUE(ran);
}

// An empty path or an empty number would be read back as one.
TEST(RunMain, PrintedConfigLeavesOutWhatHasNoValue) {
  EXPECT_EQ(Call({"--print-config"}).out, "steps=7\nstrict=false\n");
  EXPECT_EQ(Call({"--print-config", "--run", "a b", "--in", "x y", "--in", "z z", "--strict"}).out,
            "steps=7\nrun=\"a b\"\nin=[\"x y\", \"z z\"]\nstrict=true\n");
}

TEST(RunMain, PrintedConfigNeedsNoRequiredOption) {
  EXPECT_EQ(Call({"--needs-path"}).code, 2);
  const Result printed = Call({"--needs-path", "--print-config", "--steps", "8"});
  EXPECT_EQ(printed.code, 0) << printed.err;
  EXPECT_THAT(printed.out, HasSubstr("steps=8"));
}

TEST(RunMain, HelpAndVersionGoToStdoutAndAreNoErrors) {
  const Result help = Call({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, HasSubstr("--steps"));
  const Result version = Call({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out, StartsWith("Equipoise "));
  EXPECT_THAT(version.out, HasSubstr("compiler "));
}

}  // namespace
}  // namespace gan::cli
