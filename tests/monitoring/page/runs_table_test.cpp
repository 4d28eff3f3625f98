#include "monitoring/page/runs_table.h"

#include <gmock/gmock.h>

#include <fstream>

#include "monitoring/page/live_page.h"
#include "monitoring/page/run_files.h"
#include "monitoring/page/runs_page.h"
#include "storage/files.h"

namespace gan::monitoring {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RunsTableTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string form = fs::temp_directory_path() / "runs-XXXXXX";
    root_ = ::mkdtemp(form.data());
  }
  void TearDown() override { fs::remove_all(root_); }

  fs::path MakeRun(const std::string& name, const Json& options, const Json& status = Json::object()) const {
    const fs::path run = root_ / name;
    fs::create_directory(run);
    std::ofstream(run / "options.json") << Json{{"options", options}};
    std::ofstream(run / "status.json") << status;
    return run;
  }
  static void AddSteps(const fs::path& run, int first, int last) {
    std::ofstream stats(run / "stats.jsonl", std::ios::app);
    for (int step = first; step <= last; ++step) {
      Json line = {
          {"step", step}, {"images", 32 * step}, {"loss_d", step * 0.5}, {"d_auc", 0.8}, {"verdict", "balanced"}};
      if (step % 7 == 0) line["quality_swd"] = 1.0 + (step - 4200) * (step - 4200) * 1e-6;
      if (step % 7 == 0) line["quality_coverage"] = step == 693 ? 0.9 : 0.1;
      stats << line << '\n';
    }
  }
  // The table after everything was read.
  std::vector<Json> Rows() const {
    RunsTable table(root_);
    table.Refresh();
    while (!table.ReadMore()) {
    }
    return table.Rows();
  }
  static Json Status(const std::string& state, double age = 0) {
    return {{"state", state}, {"step", 1}, {"images", 32}, {"unix_seconds", UnixSecondsNow() - age}};
  }

  fs::path root_;
};

TEST_F(RunsTableTest, TheBestMeasuresAreExactAlthoughFewLinesAreDrawn) {
  AddSteps(MakeRun("one", Json::object()), 1, 10000);
  const Json row = Rows().at(0);
  EXPECT_EQ(row.at("best").at("quality_swd"), Json({1.0, 4200}));
  EXPECT_EQ(row.at("best").at("quality_coverage"), Json({0.9, 693}));
  EXPECT_EQ(row.at("step"), 10000);
  EXPECT_EQ(row.at("last").at("loss_d"), 5000.0);
}

TEST_F(RunsTableTest, AMeasurementBelongsToTheStepThatWasMeasured) {
  const fs::path run = MakeRun("one", Json::object());
  std::ofstream(run / "stats.jsonl") << Json{{"step", 9},         {"images", 90},         {"loss_d", 1},
                                             {"quality_step", 5}, {"quality_images", 50}, {"quality_swd", 0.5}}
                                     << '\n';
  RunSummary summary(run);
  EXPECT_TRUE(summary.ReadMore(1000));
  EXPECT_EQ(summary.Curve("quality_swd"), Json({{"steps", {5}}, {"images", {50}}, {"values", {0.5}}}));
  EXPECT_EQ(summary.Curve("loss_d"), Json({{"steps", {9}}, {"images", {90}}, {"values", {1.0}}}));
  EXPECT_TRUE(summary.Curve("quality_step").is_null());
  EXPECT_EQ(Rows().at(0).at("best").at("quality_swd"), Json({0.5, 5}));
}

TEST_F(RunsTableTest, ACurveOfAnyLengthIsBoundedAndCoversTheRun) {
  const fs::path run = MakeRun("one", Json::object());
  RunSummary summary(run);
  AddSteps(run, 1, 300);
  while (!summary.ReadMore(1000)) {
  }
  AddSteps(run, 301, 20000);
  while (!summary.ReadMore(1 << 20)) {
  }
  const Json curve = summary.Curve("loss_d");
  EXPECT_LE(curve.at("steps").size(), RunSummary::kMostPoints);
  EXPECT_GE(curve.at("steps").size(), 60u);
  EXPECT_EQ(curve.at("steps").front(), 1);
  EXPECT_GT(curve.at("steps").back().get<int>(), 19000);
  for (std::size_t i = 0; i < curve.at("steps").size(); ++i) {
    EXPECT_EQ(curve.at("values")[i].get<double>(), 0.5 * curve.at("steps")[i].get<double>());
    EXPECT_EQ(curve.at("images")[i], 32 * curve.at("steps")[i].get<int>());
  }
  EXPECT_LE(summary.Curve("quality_swd").at("steps").size(), RunSummary::kMostPoints);
  EXPECT_TRUE(summary.Curve("no such curve").is_null());
}

TEST_F(RunsTableTest, OnlySettingsThatDifferAreShown) {
  MakeRun("a", {{"lr_d", 1e-4}, {"batch", 16}, {"run", "runs/a"}, {"new", true}});
  MakeRun("b", {{"lr_d", 2e-4}, {"batch", 16}, {"run", "runs/b"}});
  const auto rows = Rows();
  EXPECT_EQ(rows.at(0).at("settings"), Json({{"lr_d", 1e-4}, {"new", true}}));
  EXPECT_EQ(rows.at(1).at("settings"), Json({{"lr_d", 2e-4}}));
}

TEST_F(RunsTableTest, StatesOfRunsThatRunEndFailAndFallSilent) {
  MakeRun("a-running", Json::object(), Status("running"));
  MakeRun("b-silent", Json::object(), Status("running", 600));
  MakeRun("c-finished", Json::object(), Status("finished", 600));
  const fs::path failed = MakeRun("d-failed", Json::object(), Status("running", 600));
  std::ofstream(failed / "launch.json") << Json{
      {"state", "failed"}, {"why", "rank 1 died"}, {"unix_seconds", UnixSecondsNow()}};
  // A run that was started again after gan-launch had given it up.
  const fs::path again = MakeRun("e-again", Json::object(), Status("running"));
  std::ofstream(again / "launch.json") << Json{{"state", "failed"}, {"unix_seconds", UnixSecondsNow() - 900}};
  MakeRun("f-new", Json::object());
  std::vector<std::string> states;
  for (const Json& row : Rows()) states.push_back(row.at("state"));
  EXPECT_THAT(states, ElementsAre("running", "silent", "finished", "failed", "running", "unknown"));
  EXPECT_EQ(Rows().at(3).at("why"), "rank 1 died");
}

TEST_F(RunsTableTest, GridsAreOrderedByTheImagesThatTheyWereMadeAfter) {
  const fs::path run = MakeRun("one", Json::object());
  AddSteps(run, 1, 4000);
  for (const std::uint64_t step : {0u, 1000u, 3333u}) std::ofstream(run / GridName(step)) << "png";
  fs::create_symlink("/etc/passwd", run / GridName(2000));
  EXPECT_EQ(Rows().at(0).at("grids"), Json({{0, 0}, {1000, 32000}, {3333, 106656}}));
}

TEST_F(RunsTableTest, AReplacedFileIsReadAgainFromItsBeginning) {
  const fs::path run = MakeRun("one", Json::object());
  AddSteps(run, 1, 1000);
  RunsTable table(root_);
  table.Refresh();
  while (!table.ReadMore()) {
  }
  fs::remove(run / "stats.jsonl");
  AddSteps(run, 1, 50);
  table.Refresh();
  while (!table.ReadMore()) {
  }
  EXPECT_EQ(table.Rows().at(0).at("step"), 50);
  EXPECT_EQ(table.Rows().at(0).at("best").at("quality_coverage")[0], 0.1);
}

TEST_F(RunsTableTest, DamagedFilesAndHostileNamesAreShownAsFarAsPossible) {
  const fs::path run = MakeRun("\xff<b>", Json::object());
  std::ofstream(run / "options.json") << std::string(100000, '[');
  std::ofstream(run / "status.json") << R"({"state":5,"step":-1,"images":"many","unix_seconds":null})";
  std::ofstream stats(run / "stats.jsonl");
  stats << "nonsense\n{\"step\":\"1\"}\n[1,2]\n"
        << std::string(3 << 20, 'x') << "\n{\"step\":5,\"images\":7,\"loss_d\":1}\n";
  stats << R"({"step":6,"images":8,"quality_swd":null,"verdict":[]})" << '\n';
  stats.close();
  RunsTable table(root_);
  table.Refresh();
  while (!table.ReadMore()) {
  }
  const Json all = Json::parse(table.JsonText());
  EXPECT_EQ(all.at("runs").at(0).at("step"), 6);
  EXPECT_THAT(all.at("measures"), IsEmpty());
  EXPECT_TRUE(Json::accept(table.CurveText("\xff")));
}

TEST_F(RunsTableTest, LinksAndOtherFoldersAreNoRuns) {
  MakeRun("run", Json::object());
  fs::create_directory(root_ / "photos");
  fs::create_directory_symlink(root_ / "run", root_ / "link");
  EXPECT_THAT(Rows(), SizeIs(1));
  EXPECT_TRUE(HasRunFolders(root_));
  EXPECT_FALSE(HasRunFolders(root_ / "photos"));
  EXPECT_FALSE(HasRunFolders(root_ / "nothing"));
}

TEST_F(RunsTableTest, NamesFromClientsReachOnlyRunsOfTheTable) {
  std::ofstream(MakeRun("run", Json::object()) / GridName(1)) << "grid";
  fs::create_directory(root_ / "photos");
  RunsView view(root_);
  for (const std::string name : {"..", ".", "", "photos", "run/", "run/../photos"})
    EXPECT_EQ(view.Open(name), nullptr) << name;
  ASSERT_NE(view.Open("run"), nullptr);
  EXPECT_EQ(RunResponse(*view.Open("run"), "pictures/" + GridName(1)).body, "grid");
  for (const std::string what : {"pictures/../options.json", "options.json", "pictures/", "x"}) {
    EXPECT_EQ(RunResponse(*view.Open("run"), what).status, 404) << what;
  }
}

TEST_F(RunsTableTest, OnlyTheRunsThatWereLookedAtLastStayOpen) {
  for (int i = 0; i < 12; ++i) MakeRun("run-" + std::to_string(i), Json::object());
  RunsView view(root_);
  std::weak_ptr<RunView> first = view.Open("run-0");
  for (int i = 1; i < 12; ++i) view.Open("run-" + std::to_string(i));
  EXPECT_TRUE(first.expired());
  EXPECT_EQ(view.Open("run-11"), view.Open("run-11"));
}

}  // namespace
}  // namespace gan::monitoring
