// stats.jsonl: cut where a resumed run continues, whatever its size, and a full disk costs no run.
#include "trainer/run/stats_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/errors.h"
#include "storage/files.h"
#include "tests/storage/temporary_folder.h"
#include "trainer/run/stats_lines.h"

namespace gan::run {
namespace {

namespace fs = std::filesystem;

std::string Line(std::uint64_t step) { return "{\"loss_d\":1.5,\"step\":" + std::to_string(step) + "}\n"; }

std::string Lines(std::uint64_t first, std::uint64_t last) {
  std::string text;
  for (std::uint64_t step = first; step <= last; ++step) text += Line(step);
  return text;
}

class Stats : public ::testing::Test {
 protected:
  std::string AfterCut(const std::string& text, std::uint64_t last_step,
                       std::optional<std::uint64_t> bytes = std::nullopt) {
    std::ofstream(path_, std::ios::binary) << text;
    StatsFile stats(path_, last_step, bytes);
    EXPECT_EQ(storage::ReadFile(path_), text) << "changed before it was told to";
    stats.Cut();
    return storage::ReadFile(path_);
  }

  testing::TemporaryFolder folder_;
  fs::path path_ = folder_ / "stats.jsonl";
};

TEST_F(Stats, IsCutToTheStepThatIsResumed) {
  for (const std::uint64_t step : {0U, 1U, 4U, 9U, 100U}) {
    EXPECT_EQ(AfterCut(Lines(1, 9), step), Lines(1, std::min<std::uint64_t>(step, 9)));
  }
  EXPECT_EQ(AfterCut("", 3), "");
}

TEST_F(Stats, AnotherMemberCanBeTheStepOfALine) {
  const std::string early = "{\"step\":5,\"effective_step\":8}\n", late = "{\"step\":10,\"effective_step\":13}\n";
  std::ofstream(path_) << early << late;
  StatsFile stats(path_, 12, std::nullopt, "effective_step");
  stats.Cut();
  EXPECT_EQ(storage::ReadFile(path_), early);
}

TEST_F(Stats, AnOffsetOfTheCheckpointIsTakenWhereItFits) {
  EXPECT_EQ(AfterCut(Lines(1, 9), 4, Lines(1, 4).size()), Lines(1, 4));
  EXPECT_EQ(AfterCut(Lines(1, 9), 9, Lines(1, 9).size()), Lines(1, 9));
  EXPECT_EQ(AfterCut(Lines(1, 9), 0, 0), "");
}

TEST_F(Stats, AnOffsetThatDoesNotFitIsNotBelieved) {
  for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{3}, Lines(1, 3).size(), Lines(1, 5).size(),
                                    Lines(1, 9).size() + 1, std::uint64_t{1} << 50}) {
    EXPECT_EQ(AfterCut(Lines(1, 9), 4, wrong), Lines(1, 4)) << wrong;
  }
}

TEST_F(Stats, TornAndStrangeLinesAtTheEndAreCutOff) {
  const std::string whole = Lines(1, 5);
  for (const std::string& end : {std::string("{\"step\":6,\"lo"), std::string("nonsense\n"), std::string(5000, '\0'),
                                 std::string("{\"step\":-1}\n{\"step\":\"6\"}\n[1]\n\n")}) {
    EXPECT_EQ(AfterCut(whole + end, 5), whole);
    EXPECT_EQ(AfterCut(whole + end, 5, whole.size()), whole);
  }
}

TEST_F(Stats, LinesAfterADamagedOneAreKept) {
  EXPECT_EQ(AfterCut(Lines(1, 3) + "dam\0aged\n" + Lines(5, 9), 8), Lines(1, 3) + "dam\0aged\n" + Lines(5, 8));
}

// 80 GB that no memory holds: a hole, and behind it the lines.
TEST_F(Stats, FileOfAnySizeIsAccepted) {
  constexpr std::uint64_t kHole = std::uint64_t{80} << 30;
  std::ofstream(path_).close();
  fs::resize_file(path_, kHole);
  std::ofstream(path_, std::ios::app | std::ios::binary) << "\n" << Lines(1, 9);
  StatsFile(path_, 7, std::nullopt).Cut();
  EXPECT_EQ(fs::file_size(path_), kHole + 1 + Lines(1, 7).size());
  StatsFile(path_, 2, kHole + 1 + Lines(1, 2).size()).Cut();
  EXPECT_EQ(fs::file_size(path_), kHole + 1 + Lines(1, 2).size());
}

TEST_F(Stats, TheFirstLineCutsWhatItReplaces) {
  std::ofstream(path_) << Lines(1, 9);
  StatsFile stats(path_, 4, std::nullopt);
  stats.Append({{"loss_d", 1.5}, {"step", 5}});
  EXPECT_EQ(storage::ReadFile(path_), Lines(1, 5));
}

TEST_F(Stats, TellsHowLongItWillBe) {
  StatsFile stats(path_, 0, std::nullopt);
  EXPECT_EQ(stats.bytes(), 0U);
  stats.Append({{"step", 1}});
  EXPECT_EQ(stats.bytes(), fs::file_size(path_));
}

// Files of this process may not grow beyond a limit: the next write fails, as on a full disk.
class FullDisk : public Stats {
 protected:
  FullDisk() { ::signal(SIGXFSZ, SIG_IGN); }
  ~FullDisk() override { Limit(RLIM_INFINITY); }
  static void Limit(rlim_t bytes) {
    struct rlimit limit = {};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  std::vector<nlohmann::json> Read() const {
    std::ifstream file(path_);
    std::vector<nlohmann::json> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }
};

TEST_F(FullDisk, LinesWaitForRoomAndNoneIsLost) {
  StatsFile stats(path_, 0, std::nullopt);
  stats.Append({{"step", 1}});
  Limit(fs::file_size(path_) + 4);  // the next line fits in part
  for (int step = 2; step <= 5; ++step) stats.Append({{"step", step}});
  EXPECT_EQ(Read().size(), 1U);
  EXPECT_NO_THROW(stats.Sync());
  Limit(RLIM_INFINITY);
  const std::uint64_t promised = stats.bytes();
  stats.Sync();
  EXPECT_EQ(fs::file_size(path_), promised);
  stats.Append({{"step", 6}});
  const auto lines = Read();
  ASSERT_EQ(lines.size(), 6U);
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i], nlohmann::json({{"step", i + 1}}));
}

TEST_F(FullDisk, AGapIsMarkedInTheNextLine) {
  StatsFile stats(path_, 0, std::nullopt);
  Limit(0);
  const std::string filler(StatsFile::kMostKept / 4, 'x');
  for (int step = 1; step <= 9; ++step) stats.Append({{"step", step}, {"filler", filler}});
  Limit(RLIM_INFINITY);
  stats.Sync();
  for (int step = 10; step <= 11; ++step) stats.Append({{"step", step}});
  const auto lines = Read();
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines[2].at("step"), 3);
  EXPECT_EQ(lines[3], nlohmann::json({{"step", 10}, {"lines_lost", 6}}));
  EXPECT_EQ(lines[4], nlohmann::json({{"step", 11}}));
}

TEST_F(Stats, FileThatCannotBeReadIsAnErrorAndNotAnEmptyOne) {
  std::ofstream(path_) << Lines(1, 3);
  const int descriptor = ::open(path_.c_str(), O_WRONLY);  // refuses to be read
  StatsLines lines(path_, descriptor, "step");
  EXPECT_THROW(lines.EndOf(1), IoError);
  EXPECT_THROW(lines.EndsAt(Lines(1, 1).size(), 1), IoError);
  ::close(descriptor);
}

}  // namespace
}  // namespace gan::run
