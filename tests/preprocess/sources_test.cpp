#include "preprocess/inputs/sources.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "monitoring/metric_table.h"
#include "preprocess/decode/formats.h"
#include "storage/files.h"
#include "tests/storage/temporary_folder.h"

namespace gan::preprocess {
namespace {

std::uint64_t PeakBytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

std::string MillionthPath(int i) {
  const std::string number = std::to_string(10'000'000 + i);
  return "/data/sets/photographs-of-clothing/train/class-042/" + number + "-front.jpg";  // 68 bytes
}

TEST(Sources, MillionListedPathsStayUnder150Megabytes) {
  const testing::TemporaryFolder folder;
  {
    std::ofstream list(folder / "list");
    for (int i = 0; i < 1'000'000; ++i) list << MillionthPath(i) << '\n';
  }
  const std::uint64_t before = PeakBytes();
  const SourceList sources = FindSources({}, {folder / "list"}, nullptr, {}, {LabelMode::kFolder, ""});
  const std::uint64_t added = PeakBytes() - before;
  ASSERT_EQ(sources.size(), 1'000'000U);
  EXPECT_EQ(sources.Name(999'999), MillionthPath(999'999));
  EXPECT_EQ(sources.Label(17), "class-042");
  std::cout << added / 1'000'000 << " MB for a million paths\n";
  EXPECT_GT(added, 50'000'000U) << "the measurement measures nothing";
#ifdef __SANITIZE_ADDRESS__
  constexpr std::uint64_t kAllowed = 450'000'000;  // its allocator surrounds every block
#else
  constexpr std::uint64_t kAllowed = 150'000'000;
#endif
  EXPECT_LT(added, kAllowed);
}

// A result that the table does not list is counted nowhere.
TEST(Reasons, AreTheResultsThatTheMetricCounts) {
  std::vector<std::string_view> results = {"accepted"};
  for (int i = 0; Name(static_cast<Reason>(i)) != "unknown"; ++i) results.push_back(Name(static_cast<Reason>(i)));
  const auto listed = monitoring::Row(monitoring::Metric::kPreprocessImages).label_values;
  EXPECT_EQ(results, std::vector<std::string_view>(listed.begin(), listed.end()));
}

TEST(Sources, TellPicturesByTheirExtensionAlone) {
  for (const char* name : {"a.jpg", "b/c.JPEG", "x.y.tiff", "d.d/e.png"})
    EXPECT_TRUE(HasPictureExtension(name)) << name;
  for (const char* name : {"", "jpg", ".png", "a/.png", "a.png/b", "a.pngx"})
    EXPECT_FALSE(HasPictureExtension(name)) << name;
}

TEST(Sources, BlocksMayCutAPathAnywhere) {
  const std::string text = "/one/a.png\n/two/b.png\r\n\n/three/c.png";
  for (std::size_t block = 1; block < text.size(); ++block) {
    std::size_t at = 0;
    const auto read = [&] {
      std::string next = text.substr(std::min(at, text.size()), block);
      at += next.size();
      return next;
    };
    const SourceList sources = FindSources({"-"}, {}, read, {}, {LabelMode::kFolder, ""});
    ASSERT_EQ(sources.size(), 3U) << block;
    EXPECT_EQ(sources.Name(1), "/two/b.png");
    EXPECT_EQ(sources.Label(2), "three");
  }
}

}  // namespace
}  // namespace gan::preprocess
