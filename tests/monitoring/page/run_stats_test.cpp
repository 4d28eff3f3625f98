#include "monitoring/page/run_stats.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace gan::monitoring {
namespace {

using Json = nlohmann::json;

class RunStatsTest : public ::testing::Test {
 protected:
  RunStatsTest() { std::filesystem::remove(file_); }
  void Append(const std::string& text) { std::ofstream(file_, std::ios::app) << text; }
  void AppendStep(int step, const Json& more = Json::object()) {
    Json line = {{"step", step}, {"loss_d", 1.5}, {"verdict", "balanced"}, {"actions", Json::array()}};
    line.update(more);
    Append(line.dump() + "\n");
  }
  Json Read() {
    EXPECT_TRUE(stats_.Update());
    return Json::parse(stats_.JsonText());
  }

  const std::filesystem::path file_ =
      testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + ".jsonl";
  RunStats stats_{file_};
};

TEST_F(RunStatsTest, AMissingFileIsEmpty) {
  const Json json = Read();
  EXPECT_EQ(json["lines"], 0);
  EXPECT_TRUE(json["last"].is_null());
}

TEST_F(RunStatsTest, WhatIsAppendedLaterIsRead) {
  AppendStep(1);
  EXPECT_EQ(Read()["lines"], 1);
  AppendStep(2);
  const Json json = Read();
  EXPECT_EQ(json["table"]["x"], (Json{1, 2}));
  EXPECT_EQ(json["last"]["step"], 2);
  EXPECT_EQ(json["read_ratio"], 1);
}

TEST_F(RunStatsTest, TheNewestQualityOfClassesIsKept) {
  AppendStep(1);
  EXPECT_TRUE(Read()["quality_by_class"].is_null());
  AppendStep(2, {{"quality_by_class", {{"coat", {{"swd", 0.5}}}}}});
  AppendStep(3, {{"quality_by_class", {{"coat", {{"swd", 0.25}}}}}});
  AppendStep(4, {{"quality_by_class", Json::object()}});
  AppendStep(5, {{"quality_by_class", 7}});
  EXPECT_EQ(Read()["quality_by_class"], (Json{3, {{"coat", {{"swd", 0.25}}}}}));
}

TEST_F(RunStatsTest, TheNewestCopiesAreKept) {
  AppendStep(1, {{"quality_copies", 0.5}});
  EXPECT_TRUE(Read()["copies"].is_null());
  AppendStep(2, {{"quality_copies", 0.25}, {"quality_copies_floor", 0.125}, {"quality_copies_told", 1}});
  AppendStep(3);
  AppendStep(4, {{"quality_copies", nullptr}, {"quality_copies_floor", nullptr}, {"quality_copies_told", nullptr}});
  AppendStep(5, {{"quality_copies", "0.5"}, {"quality_copies_floor", Json::array()}, {"quality_copies_told", 1}});
  EXPECT_EQ(Read()["copies"], (Json{2, 0.25, 0.125, 1.0}));
}

TEST_F(RunStatsTest, AMeasurementBelongsToTheStepThatWasMeasured) {
  AppendStep(1);
  AppendStep(2);
  AppendStep(3, {{"quality_step", 2},
                 {"quality_images", 20},
                 {"quality_swd", 0.5},
                 {"quality_copies", 0.25},
                 {"quality_copies_floor", 0.125},
                 {"quality_copies_told", 1},
                 {"quality_by_class", {{"coat", 1}}}});
  AppendStep(4, {{"quality_swd", 0.25}});                       // of a run that waited for each measurement
  AppendStep(5, {{"quality_step", 9}, {"quality_swd", 0.75}});  // not from this program
  const Json json = Read();
  EXPECT_EQ(json["table"]["x"], (Json{1, 2, 3, 4, 5}));
  EXPECT_EQ(json["table"]["series"]["quality_swd"]["mean"], (Json{nullptr, 0.5, nullptr, 0.25, 0.75}));
  EXPECT_FALSE(json["table"]["series"].contains("quality_step"));
  EXPECT_FALSE(json["table"]["series"].contains("quality_images"));
  EXPECT_EQ(json["copies"], (Json{2, 0.25, 0.125, 1.0}));
  EXPECT_EQ(json["quality_by_class"], (Json{2, {{"coat", 1}}}));
}

TEST_F(RunStatsTest, AMeasurementOfAStepWithoutALineCountsInTheNextOne) {
  AppendStep(10);
  AppendStep(20);
  AppendStep(30, {{"quality_step", 15}, {"quality_swd", 0.5}});
  EXPECT_EQ(Read()["table"]["series"]["quality_swd"]["mean"], (Json{nullptr, 0.5, nullptr}));
}

TEST_F(RunStatsTest, MoreClassesThanGanTrainWritesAreNotKept) {
  Json many = Json::object();
  for (int i = 0; i < 33; ++i) many["class " + std::to_string(i)] = {{"swd", 0.5}};
  AppendStep(1, {{"quality_by_class", many}});
  EXPECT_TRUE(Read()["quality_by_class"].is_null());
}

TEST_F(RunStatsTest, ALineThatIsStillBeingWrittenWaits) {
  AppendStep(1);
  Append(R"({"step":2,"loss_d":)");
  EXPECT_EQ(Read()["lines"], 1);
  Append("0.5}\n");
  const Json json = Read();
  EXPECT_EQ(json["lines"], 2);
  EXPECT_EQ(json["bad_lines"], 0);
}

TEST_F(RunStatsTest, AFileCutByAResumedRunStartsAgain) {
  for (int step = 1; step <= 5; ++step) AppendStep(step);
  EXPECT_EQ(Read()["lines"], 5);
  std::ofstream(file_, std::ios::trunc).close();
  AppendStep(1);
  AppendStep(2);
  EXPECT_EQ(Read()["table"]["x"], (Json{1, 2}));
}

TEST_F(RunStatsTest, AFileReplacedByALongerOneStartsAgain) {
  AppendStep(1, {{"loss_d", 9}});
  Read();
  std::filesystem::rename(file_, file_.string() + ".old");
  for (int step = 1; step <= 3; ++step) AppendStep(step, {{"loss_d", 2}});
  EXPECT_EQ(Read()["table"]["series"]["loss_d"]["mean"], (Json{2, 2, 2}));
}

TEST_F(RunStatsTest, AFileCutAndGrownLongerThanItWasStartsAgain) {
  for (int step = 1; step <= 3; ++step) AppendStep(step, {{"loss_d", 9}});
  Read();
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) / 3);
  for (int step = 2; step <= 5; ++step) AppendStep(step, {{"loss_d", 2}});
  EXPECT_EQ(Read()["table"]["series"]["loss_d"]["mean"], (Json{9, 2, 2, 2, 2}));
  EXPECT_EQ(Read()["bad_lines"], 0);
}

TEST_F(RunStatsTest, GarbageIsCountedAndPassedOver) {
  AppendStep(1);
  Append("not json\n[1]\n{\"step\":\"two\"}\n\n");
  AppendStep(2);
  AppendStep(2);
  const Json json = Read();
  EXPECT_EQ(json["lines"], 2);
  EXPECT_EQ(json["bad_lines"], 5);
}

TEST_F(RunStatsTest, AMegabyteWithoutALineEndIsPassedOver) {
  Append(std::string(3 << 20, 'x') + "\n");
  AppendStep(1);
  EXPECT_EQ(Read()["lines"], 1);
}

TEST_F(RunStatsTest, ALinkIsNotFollowed) {
  const std::string target = file_.string() + ".target";
  std::ofstream(target) << R"({"step":1})"
                        << "\n";
  std::filesystem::create_symlink(target, file_);
  EXPECT_EQ(Read()["lines"], 0);
  std::filesystem::remove(file_);
}

TEST_F(RunStatsTest, ReadsAtMostWhatItIsAllowed) {
  for (int step = 1; step <= 40'000; ++step) AppendStep(step);
  EXPECT_FALSE(stats_.Update(1 << 20));
  const Json json = Json::parse(stats_.JsonText());
  EXPECT_GT(json["read_ratio"], 0);
  EXPECT_LT(json["read_ratio"], 1);
  while (!stats_.Update(1 << 20)) {
  }
  EXPECT_EQ(Json::parse(stats_.JsonText())["lines"], 40'000);
}

TEST_F(RunStatsTest, VerdictsActionsAndNonfiniteStepsAreListed) {
  AppendStep(1);
  AppendStep(2, {{"verdict", "discriminator_ahead"}, {"actions", {"lower_d_rate", "d_less_often"}}});
  AppendStep(3, {{"verdict", "discriminator_ahead"}, {"loss_d", nullptr}});
  const Json json = Read();
  EXPECT_EQ(json["verdicts"], Json::parse(R"([[1,"balanced"],[2,"discriminator_ahead"]])"));
  EXPECT_EQ(json["actions"], Json::parse(R"([[2,"lower_d_rate"],[2,"d_less_often"]])"));
  EXPECT_EQ(json["action_counts"]["lower_d_rate"], 1);
  EXPECT_EQ(json["nonfinite"], (Json{3}));
}

}  // namespace
}  // namespace gan::monitoring
