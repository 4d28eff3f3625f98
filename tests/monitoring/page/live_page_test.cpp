#include "monitoring/page/live_page.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "monitoring/page/run_files.h"
#include "storage/files.h"
#include "tests/monitoring/http_client.h"

namespace gan::monitoring {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class LivePageTest : public ::testing::Test {
 protected:
  LivePageTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    std::ofstream(folder_ / "reals.png") << "reals";
    for (int i = 0; i < 100; ++i) std::ofstream(folder_ / GridName(static_cast<std::uint64_t>(i))) << i;
    std::ofstream(folder_ / "stats.jsonl") << R"({"step":1,"loss_d":1,"verdict":"</script><script>alert(1)</script>"})"
                                           << "\n";
    ServePage(server_, std::make_shared<RunView>(folder_, true));
  }
  std::string Get(const std::string& path) { return Request(server_.port(), "GET", path); }

  const fs::path folder_ = fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
  HttpServer server_{"127.0.0.1", 0};
};

TEST_F(LivePageTest, ThePageAllowsNothingButItself) {
  const std::string response = Get("/");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(response, HasSubstr("Content-Security-Policy: default-src 'none'; script-src 'sha256-"));
  EXPECT_THAT(response, HasSubstr("frame-ancestors 'none'"));
  for (const char* unsafe : {"unsafe-inline", "unsafe-eval", "src=\"http", "href=\"http", "@import"}) {
    EXPECT_THAT(response, Not(HasSubstr(unsafe)));
  }
}

TEST_F(LivePageTest, DataAndPicturesAreServed) {
  EXPECT_EQ(nlohmann::json::parse(Body(Get("/run.json")))["stats"]["lines"], 1);
  EXPECT_EQ(Body(Get("/pictures/fakes-00000042.png")), "42");
  EXPECT_THAT(Get("/pictures/reals.png"), HasSubstr("Content-Type: image/png\r\n"));
}

TEST_F(LivePageTest, NoPathLeadsOutOfTheGrids) {
  for (const char* path :
       {"/pictures/", "/pictures/stats.jsonl", "/pictures/../stats.jsonl", "/pictures/%2e%2e/x",
        "/pictures/..%2fstats.jsonl", "/pictures//etc/passwd", "/pictures/reals.png/", "/stats.jsonl"}) {
    EXPECT_THAT(Get(path), Not(StartsWith("HTTP/1.1 200 "))) << path;
  }
}

TEST_F(LivePageTest, AReportIsOneFileThatNothingCanBreakOutOf) {
  const fs::path out = folder_ / "report.html";
  for (const std::uint64_t step : {3U, 5U}) std::ofstream(folder_ / GridName(step, kNearest)) << step;
  WriteReport(folder_, out);
  const std::string html = storage::ReadFile(out);
  EXPECT_THAT(html, HasSubstr("\"fakes-00000000.png\":\"data:image/png;base64,MA==\""));
  EXPECT_THAT(html, HasSubstr("\"fakes-00000099.png\":\"data:image/png;base64,OTk=\""));
  EXPECT_THAT(html, HasSubstr("\"nearest-00000005.png\":\"data:image/png;base64,NQ==\""));
  EXPECT_THAT(html, Not(HasSubstr("\"nearest-00000003.png\":")));
  EXPECT_THAT(html, Not(HasSubstr("</script><script>alert")));
  std::size_t grids = 0;
  for (std::size_t at = html.find("\"fakes-0"); at != std::string::npos; at = html.find("\"fakes-0", at + 1)) ++grids;
  EXPECT_EQ(grids, kReportGrids);
}

}  // namespace
}  // namespace gan::monitoring
