#include "monitoring/push/alerts.h"

#include <gmock/gmock.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "monitoring/push/command.h"
#include "monitoring/push/secrets.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::monitoring {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Whether the process exists and is no zombie.
bool IsRunning(const std::string& process) {
  std::ifstream stat("/proc/" + process + "/stat");
  std::string text;
  return std::getline(stat, text) && text.find(") Z") == std::string::npos;
}

class AlertsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string form = fs::temp_directory_path() / "alerts-XXXXXX";
    folder_ = ::mkdtemp(form.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Returns what a command appended to the file, one message per line.
  std::vector<json> Messages() const {
    std::vector<json> messages;
    std::ifstream lines(folder_ / "out");
    for (std::string line; std::getline(lines, line);) messages.push_back(json::parse(line));
    return messages;
  }
  AlertTargets ToFile() const {
    AlertTargets targets;
    targets.command = "cat >> '" + (folder_ / "out").string() + "'; echo >> '" + (folder_ / "out").string() + "'";
    return targets;
  }

  fs::path folder_;
};

TEST_F(AlertsTest, AMessageTellsTheRunAndItsNewestGrid) {
  for (const char* name : {"fakes-00000099.png", "fakes-00000500.png", "fakes-100000000.png", "fakes-x.txt"}) {
    std::ofstream(folder_ / name) << "png";
  }
  Alerts alerts(ToFile(), folder_, nullptr);
  alerts.Raise(
      {.event = "verdict", .severity = Severity::kCritical, .text = "mode \xff collapse", .details = {{"step", 7}}});
  alerts.Flush(60s);
  ASSERT_THAT(Messages(), SizeIs(1));
  const json message = Messages()[0];
  EXPECT_EQ(message.at("event"), "verdict");
  EXPECT_EQ(message.at("severity"), "critical");
  EXPECT_EQ(message.at("step"), 7);
  EXPECT_EQ(message.at("run"), folder_.filename().string());
  EXPECT_EQ(message.at("grid"), (folder_ / "fakes-100000000.png").string());
  EXPECT_EQ(message.at("suppressed"), 0);
}

TEST_F(AlertsTest, TheRateIsLimitedAndTheLastAlertTellsHowManyWereLeftOut) {
  Alerts alerts(ToFile(), folder_, nullptr, {.burst = 3, .interval = 1h});
  for (int i = 0; i < 50; ++i) alerts.Raise({.event = "intervention", .details = {{"step", i}}});
  alerts.Raise({.event = "finished", .is_last = true});
  alerts.Flush(60s);
  const auto messages = Messages();
  ASSERT_THAT(messages, SizeIs(4));
  EXPECT_EQ(messages[2].at("step"), 2);
  EXPECT_EQ(messages[3].at("event"), "finished");
  EXPECT_EQ(messages[3].at("suppressed"), 47);
}

TEST_F(AlertsTest, ACommandThatFailsIsToldWithoutItsText) {
  std::string warned;
  {
    AlertTargets targets;
    targets.command = "exit 3 # geheim";
    Alerts alerts(targets, folder_, [&](const std::string& text) { warned += text; });
    alerts.Raise({.event = "finished"});
    alerts.Flush(60s);
  }
  EXPECT_THAT(warned, HasSubstr("its exit code was 3"));
  EXPECT_THAT(warned, Not(HasSubstr("geheim")));
}

TEST_F(AlertsTest, ACommandThatHangsIsKilledWithItsChildren) {
  const std::string out = (folder_ / "pid").string();
  EXPECT_THAT(RunAlertCommand("sleep 1000 & echo $! > '" + out + "'; wait", "", 2s, [] { return false; }),
              HasSubstr("killed"));
  std::string process;
  std::ifstream(out) >> process;
  ASSERT_FALSE(process.empty());
  // SIGKILL ends a process some time after kill() has returned.
  for (const auto end = std::chrono::steady_clock::now() + 60s; IsRunning(process);) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << process << " still runs";
    std::this_thread::sleep_for(10ms);
  }
}

TEST_F(AlertsTest, ACommandIsNotInTheListOfProcessesAndInheritsNoSecrets) {
  ::setenv(kWebhookVariable, "https://geheim", 1);
  const std::string out = (folder_ / "seen").string();
  const std::string command = "tr '\\0' ' ' < /proc/$$/cmdline > '" + out + "'; env >> '" + out + "' # geheim-command";
  EXPECT_EQ(RunAlertCommand(command, "", 60s, [] { return false; }), "");
  ::unsetenv(kWebhookVariable);
  const std::string seen = storage::ReadFile(out);
  EXPECT_THAT(seen, HasSubstr("eval"));
  EXPECT_THAT(seen, Not(HasSubstr("geheim")));
}

TEST_F(AlertsTest, SecretsComeFromAFileAVariableOrTheFlag) {
  std::ofstream(folder_ / "secret") << "https://host/path\r\n\nAuthorization: Bearer x\n";
  const AlertTargets targets = ReadAlertTargets("@" + (folder_ / "secret").string(), "");
  EXPECT_EQ(targets.webhook.url, "https://host/path");
  EXPECT_THAT(targets.webhook.headers, ElementsAre("Authorization: Bearer x"));
  ::setenv("EQUIPOISE_TEST_SECRET", "from the environment", 1);
  EXPECT_THAT(ReadSecret("", "EQUIPOISE_TEST_SECRET", "--x"), ElementsAre("from the environment"));
  EXPECT_THAT(ReadSecret("given", "EQUIPOISE_TEST_SECRET", "--x"), ElementsAre("given"));
  ::unsetenv("EQUIPOISE_TEST_SECRET");
  EXPECT_THAT(ReadSecret("", "EQUIPOISE_TEST_SECRET", "--x"), IsEmpty());
}

TEST_F(AlertsTest, AWrongAddressIsRefusedWithoutBeingShown) {
  for (const std::string url : {"ftp://geheim", "geheim", "http://", "https://a b/geheim", "file:///geheim"}) {
    try {
      ReadAlertTargets(url, "");
      ADD_FAILURE() << url;
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), HasSubstr("--alert-webhook"));
      EXPECT_THAT(error.what(), Not(HasSubstr("geheim")));
    }
  }
  EXPECT_THROW(ReadAlertTargets("@/no/such/file", ""), UsageError);
  std::ofstream(folder_ / "empty").close();
  EXPECT_THROW(ReadAlertTargets("@" + (folder_ / "empty").string(), ""), UsageError);
}

}  // namespace
}  // namespace gan::monitoring
