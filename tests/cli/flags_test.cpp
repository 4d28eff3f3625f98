// Choices from a table, flags that are rarely needed or hidden, metrics flags, and values that are empty.
#include "cli/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "cli/main.h"
#include "storage/errors.h"
#include "storage/files.h"
#include "tests/storage/temporary_folder.h"

namespace gan::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

enum class Colour { kRed, kBlue };
constexpr Choice<Colour> kColours[] = {{Colour::kRed, "red", "the colour of fire"}, {Colour::kBlue, "blue", ""}};
constexpr Choice<std::string_view> kMetals[] = {Word("iron", "heavy"), Word("tin", "light")};

struct Parsed {
  int code = -1;
  std::string out, err;
  Colour colour = Colour::kRed;
  std::string metal = "iron", port = "9400", address = "127.0.0.1", password_file, text;
  std::uint64_t count = 3;
  double rate = 0.5;
  std::filesystem::path folder;
  std::vector<std::string> several;
};

Parsed Parse(std::vector<std::string> arguments) {
  Parsed result;
  CLI::App app("A tool for tests", "gan-test");
  AddChoice(app, "--colour", result.colour, kColours, "Colour of the thing.");
  AddChoice(app, "--metal", result.metal, kMetals, "Metal of the thing.")->group(RareGroup("metals"));
  app.add_option("--count", result.count, "How many.")->capture_default_str();
  app.add_option("--rate", result.rate, "How fast.")->check(CLI::PositiveNumber);
  app.add_option("--text", result.text, "Which words.");
  app.add_option("--folder", result.folder, "Where to.");
  app.add_option("--several", result.several, "A list.");
  bool old = false, on = false;
  Hide(app.add_flag("--old", old, "The former name of something."));
  app.add_flag("--on,!--no-on", on, "A switch.");
  AddMetricsFlags([&app](const std::string& name, std::string& value,
                         const std::string& help) { return app.add_option(name, value, help)->capture_default_str(); },
                  {result.port, result.address, result.password_file});
  AddStandardFlags(app, "facts");
  arguments.insert(arguments.begin(), "gan-test");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  result.code = RunMain(app, static_cast<int>(argv.size()), argv.data(), [] { return static_cast<int>(kDone); });
  result.out = ::testing::internal::GetCapturedStdout();
  result.err = ::testing::internal::GetCapturedStderr();
  return result;
}

Parsed ParseWithFile(const std::string& text) {
  const testing::TemporaryFolder folder;
  storage::WriteFileAtomically(folder / "c.toml", text);
  return Parse({"--config", (folder / "c.toml").string()});
}

TEST(Choices, ANameOfTheTableIsTakenInUpperAndLowerCase) {
  EXPECT_EQ(Parse({"--colour", "blue"}).colour, Colour::kBlue);
  EXPECT_EQ(Parse({"--colour", "BLUE"}).colour, Colour::kBlue);
  EXPECT_EQ(Parse({"--metal", "Tin"}).metal, "tin");
  EXPECT_EQ(Parse({}).colour, Colour::kRed);
}

TEST(Choices, AnotherWordIsAUsageErrorThatNamesFlagAndWords) {
  for (const char* word : {"green", "1", "re", "redd", "red,blue"}) {
    const Parsed result = Parse({"--colour", word});
    EXPECT_EQ(result.code, kUsage) << word;
    EXPECT_THAT(result.err, AllOf(HasSubstr("--colour"), HasSubstr(word), HasSubstr("red, blue")));
  }
  EXPECT_THROW(ValueOf("green", kColours), UsageError);
  EXPECT_THROW(NameOf(Colour(7), kColours), std::logic_error);
}

TEST(Choices, ThePrintedConfigHasTheName) {
  EXPECT_THAT(Parse({"--colour", "blue", "--print-config"}).out, HasSubstr("colour=\"blue\""));
  EXPECT_THAT(Parse({"--print-config"}).out, HasSubstr("colour=\"red\""));
  EXPECT_EQ(ParseWithFile("colour = \"blue\"\n").colour, Colour::kBlue);
}

TEST(Help, HasNamesWordsAndDefaultsOfChoices) {
  const std::string help = Parse({"--help"}).out;
  EXPECT_THAT(help, HasSubstr("--colour {red,blue}"));
  EXPECT_THAT(help, HasSubstr("red: the colour of fire.\n"));
  EXPECT_THAT(help, HasSubstr("Default: red."));
  EXPECT_THAT(help, HasSubstr("--count N"));
  EXPECT_THAT(help, HasSubstr("--on, --no-on"));
}

TEST(Help, RareFlagsAreListedByHelpAllAndHiddenOnesNowhere) {
  const std::string help = Parse({"--help"}).out, all = Parse({"--help-all"}).out;
  EXPECT_THAT(help, AllOf(Not(HasSubstr("--metal")), Not(HasSubstr("--old"))));
  EXPECT_THAT(all, AllOf(HasSubstr("Rarely needed: metals:"), HasSubstr("--metal {iron,tin}"), HasSubstr("--colour")));
  EXPECT_THAT(all, Not(HasSubstr("--old")));
  EXPECT_EQ(Parse({"--old"}).code, kDone);
}

TEST(Help, LinesAreBrokenAt80Columns) {
  std::istringstream lines(Parse({"--help-all"}).out);
  int broken = 0;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 80U) << line;
    broken += line.starts_with("      ");
  }
  EXPECT_GT(broken, 10);
}

TEST(MetricsFlags, APortZeroAndOffArePorts) {
  EXPECT_EQ(MetricsPort("0"), 0);
  EXPECT_EQ(MetricsPort("65535"), 65535);
  EXPECT_EQ(MetricsPort("off"), -1);
  for (const char* good : {"0", "9400", "off"}) EXPECT_EQ(Parse({"--metrics-port", good}).port, good);
}

TEST(MetricsFlags, WhatIsNoPortIsAUsageErrorThatNamesTheFlag) {
  for (const char* bad : {"x", "65536", "-1", "1 2", "9400x", "0x10", "OFF", "99999999999999999999"}) {
    EXPECT_THROW(MetricsPort(bad), UsageError) << bad;
    const Parsed result = Parse({std::string("--metrics-port=") + bad});
    EXPECT_EQ(result.code, kUsage) << bad;
    EXPECT_THAT(result.err, AllOf(HasSubstr("--metrics-port"), HasSubstr(bad), HasSubstr("neither a port")));
  }
  EXPECT_THROW(MetricsPort(""), UsageError);
}

TEST(EmptyValue, IsAUsageErrorThatNamesTheFlag) {
  for (const char* name : {"--colour", "--metal", "--count", "--rate", "--text", "--folder", "--several",
                           "--metrics-port", "--metrics-address", "--metrics-password-file", "--config"}) {
    for (const auto& arguments : {std::vector<std::string>{name, ""},
                                  {std::string(name) + "="},
                                  {std::string(name) + "=", "7"},
                                  {"--count", "4", name, ""}}) {
      const Parsed result = Parse(arguments);
      EXPECT_EQ(result.code, kUsage) << name;
      EXPECT_THAT(result.err, AllOf(HasSubstr(name), HasSubstr("needs a value"))) << result.err;
    }
  }
}

TEST(EmptyValue, IsAnErrorInAFileThatNamesTheLine) {
  for (const char* name : {"count", "rate", "text", "folder", "metrics-port"}) {
    for (const char* value : {" =", " = \"\"", " = ''"}) {
      const Parsed result = ParseWithFile("on = true\n" + std::string(name) + value + "\n");
      EXPECT_EQ(result.code, kUsage) << name << value;
      EXPECT_THAT(result.err, HasSubstr("line 2: " + std::string(name) + " has no value"));
    }
  }
}

TEST(EmptyValue, BehindTheDashesArgumentsAreNotLookedAt) {
  EXPECT_THAT(Parse({"--", "--count="}).err, Not(HasSubstr("needs a value")));
}

// CLI11 would take the first three for 2^64 - 1, which trains until somebody ends it.
TEST(Numbers, OnesThatTheFlagCannotHoldAreUsageErrors) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--count", "-1"},
                                             {"--count", " -1"},
                                             {"--count", "18446744073709551616"},
                                             {"--rate", "nan"},
                                             {"--rate", "-NaN"}}) {
    const Parsed result = Parse(arguments);
    EXPECT_EQ(result.code, kUsage) << arguments[1];
    EXPECT_THAT(result.err, AllOf(HasSubstr(arguments[0] + ": "), HasSubstr(arguments[1])));
  }
  EXPECT_EQ(ParseWithFile("count = -1\n").code, kUsage);
  EXPECT_EQ(Parse({"--count", "18446744073709551615"}).count, 18446744073709551615U);
  EXPECT_EQ(Parse({"--rate", "1e-3"}).rate, 1e-3);
}

TEST(Numbers, ARangeWithoutAnUpperEndIsNotPrintedInHundredsOfDigits) {
  for (const char* value : {"0", "-1", "inf"}) {
    const std::string err = Parse({"--rate", value}).err;
    EXPECT_THAT(err, HasSubstr(std::string("--rate: Value ") + value + " is too small or not finite"));
    EXPECT_LT(err.size(), 100U);
  }
}

// In TOML a comment begins there; a path with a # would silently become another one.
TEST(Hash, RightBehindATextWithoutQuotesIsAnError) {
  const Parsed result = ParseWithFile("# a comment\nfolder = photos#1\n");
  EXPECT_EQ(result.code, kUsage);
  EXPECT_THAT(result.err, AllOf(HasSubstr("line 2"), HasSubstr("quotes")));
  EXPECT_EQ(ParseWithFile("folder = \"photos#1\"# a comment\n").folder, "photos#1");
  EXPECT_EQ(ParseWithFile("folder = photos # a comment\n").folder, "photos");
  EXPECT_EQ(ParseWithFile("count = 4# a comment\non = true# on\n").count, 4U);
  EXPECT_EQ(Parse({"--folder", "photos#1"}).folder, "photos#1");
}

TEST(Secrets, AreOverwrittenInArgvAndLeftOutOfTheConfiguration) {
  CLI::App app("", "test");
  std::string secret, plain;
  MarkSecret(app.add_option("--secret", secret));
  app.add_option("--plain", plain);
  AddStandardFlags(app, "facts");
  std::vector<std::string> arguments = {"test",    "--secret", "geheim-1",      "--secret=geheim-2",
                                        "--plain", "open",     "--print-config"};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(RunMain(app, static_cast<int>(argv.size()), argv.data(), [] { return kFailure; }), kDone);
  const std::string config = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(secret, "geheim-2");
  EXPECT_EQ(arguments[2], "********");
  EXPECT_EQ(arguments[3], "--secret=********");
  EXPECT_EQ(arguments[5], "open");
  EXPECT_THAT(config, HasSubstr("open"));
  EXPECT_EQ(config.find("geheim"), std::string::npos);
}

TEST(Secrets, AnAddressBehindAMisspeltFlagIsNotRepeated) {
  CLI::App app("", "test");
  AddStandardFlags(app, "facts");
  std::vector<std::string> arguments = {"test", "--secrt", "https://user:geheim@host/path"};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(RunMain(app, static_cast<int>(argv.size()), argv.data(), [] { return kDone; }), kUsage);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("--secrt"));
  EXPECT_EQ(said.find("geheim"), std::string::npos);
}

}  // namespace
}  // namespace gan::cli
