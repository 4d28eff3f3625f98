#include "cli/main.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/build_facts.h"
#include "storage/errors.h"
#include "storage/files.h"
#include "tests/storage/temporary_folder.h"

namespace gan::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Result {
  int code = -1;
  int steps = 0;
  std::string run;
  std::string out;
  std::string err;
};

Result Call(
    std::vector<std::string> args, const std::function<void()>& body = [] {}) {
  CLI::App app("A tool for tests", "gan-test");
  Result result;
  result.steps = 7;
  app.add_option("--steps", result.steps, "How many")->capture_default_str();
  app.add_option("--run", result.run, "Where, without a default");
  std::vector<std::string> inputs;
  app.add_option("--in", inputs, "Several");
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
  result.code = RunMain(app, static_cast<int>(argv.size()), argv.data(), [&] {
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

TEST(RunMain, OtherRanksOfAJobAreSilentAboutAMistypedFlag) {
  setenv("OMPI_COMM_WORLD_RANK", "3", 1);
  const Result result = Call({"--stepz", "3"});
  unsetenv("OMPI_COMM_WORLD_RANK");
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.err, "");
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
