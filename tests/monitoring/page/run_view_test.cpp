#include "monitoring/page/run_view.h"
#include "monitoring/page/run_files.h"

#include <gmock/gmock.h>

#include <fstream>

namespace gan::monitoring {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

class RunViewTest : public ::testing::Test {
 protected:
  RunViewTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void Write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  Json View() { return Json::parse(RunView(folder_, false).JsonText()); }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name() / "0007";
};

TEST_F(RunViewTest, AnEmptyFolderIsShownAsEmpty) {
  const Json view = View();
  EXPECT_EQ(view["run"], "0007");
  EXPECT_TRUE(view["status"].is_null());
  EXPECT_EQ(view["fakes"], Json::array());
  EXPECT_EQ(view["checkpoints"], Json::array());
}

TEST_F(RunViewTest, TheNameIsThatOfTheFolderHoweverItIsGiven) {
  for (const char* name : {"", ".", "../0007/"}) {
    EXPECT_EQ(Json::parse(RunView(folder_ / name, false).JsonText())["run"], "0007") << name;
  }
}

TEST_F(RunViewTest, DamagedFilesAreShownAsAbsent) {
  Write("status.json", "{\"state\":");
  Write("options.json", "\xff\xfe");
  const Json view = View();
  EXPECT_TRUE(view["status"].is_null());
  EXPECT_TRUE(view["options"].is_null());
}

TEST_F(RunViewTest, BytesThatAreNoUtf8DoNoHarm) {
  const fs::path odd = folder_.parent_path() / "run\xff<b>";
  fs::create_directories(odd);
  EXPECT_EQ(Json::parse(RunView(odd, false).JsonText())["run"], "run\xef\xbf\xbd<b>");
}

TEST_F(RunViewTest, GridsAreListedByStep) {
  for (const char* name : {"fakes-00000100.png", "fakes-00000002.png", "fakes-123456789.png", "fakes-1.png",
                           "fakes-0000000x.png", "fakes-00000001.png.tmp-3"}) {
    Write(name, "png");
  }
  EXPECT_EQ(View()["fakes"], (Json{2, 100, 123456789}));
}

TEST_F(RunViewTest, GridsOfNearestImagesAreListedAndGivenOut) {
  for (const char* name : {"nearest-00000100.png", "nearest-00000002.png", "nearest-2.png", "fakes-00000007.png"}) {
    Write(name, name);
  }
  fs::create_symlink("/etc/passwd", folder_ / "nearest-00000003.png");
  EXPECT_EQ(View()["nearest"], (Json{2, 100}));
  EXPECT_EQ(View()["fakes"], (Json{7}));
  const RunView view(folder_, false);
  EXPECT_EQ(view.Picture(GridName(100, kNearest)), "nearest-00000100.png");
  for (const char* name :
       {"nearest-00000003.png", "nearest-2.png", "nearest-00000007.png", "nearest-/../options.json"}) {
    EXPECT_EQ(view.Picture(name), std::nullopt) << name;
  }
}

TEST_F(RunViewTest, OnlyGridsAreGivenOut) {
  Write("reals.png", "reals");
  Write("fakes-00000002.png", "two");
  Write("options.json", "{}");
  fs::create_symlink("/etc/passwd", folder_ / "fakes-00000003.png");
  fs::create_directory(folder_ / "fakes-00000004.png");
  const RunView view(folder_, false);
  EXPECT_EQ(view.Picture("reals.png"), "reals");
  EXPECT_EQ(view.Picture(GridName(2)), "two");
  for (const char* name : {"", "options.json", "../0007/reals.png", "/etc/passwd", "fakes-00000003.png",
                           "fakes-00000004.png", "fakes-00000005.png", "fakes-99999999999999999999999.png",
                           "fakes-.png", "fakes-/../reals.png", "fakes-+0000002.png", "checkpoints"}) {
    EXPECT_EQ(view.Picture(name), std::nullopt) << name;
  }
}

TEST_F(RunViewTest, CheckpointsAreToldWithTheirSize) {
  fs::create_directories(folder_ / "checkpoints" / "step-00000005");
  std::ofstream(folder_ / "checkpoints" / "step-00000005" / "manifest.json")
      << R"({"parts":[{"bytes":3},{"bytes":4}]})";
  fs::create_directories(folder_ / "checkpoints" / "step-00000006");  // not committed: no manifest
  const Json checkpoints = View()["checkpoints"];
  ASSERT_EQ(checkpoints.size(), 1U);
  EXPECT_EQ(checkpoints[0]["step"], 5);
  EXPECT_EQ(checkpoints[0]["bytes"], 7);
  EXPECT_GT(checkpoints[0]["unix_seconds"], 1.6e9);
}

}  // namespace
}  // namespace gan::monitoring
