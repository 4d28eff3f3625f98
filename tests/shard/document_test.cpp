// The page's worked example is what the writer writes.
#include <gtest/gtest.h>

#include <cctype>
#include <cstdio>
#include <string>
#include <vector>

#include "shard/shard_format.h"
#include "storage/files.h"
#include "tests/shard/small_shard.h"
#include "tests/storage/temporary_folder.h"

namespace gan::shard {
namespace {

// The page shows sixteen bytes per line in hexadecimal.
std::string Hex(std::span<const std::byte> bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    char digits[4];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(bytes[i]));
    text += digits;
    text += i % 16 == 15 || i + 1 == bytes.size() ? '\n' : ' ';
  }
  return text;
}

std::vector<std::string> HexBlocks(const std::string& page) {
  const std::string open = "```hex\n";
  std::vector<std::string> blocks;
  for (std::size_t at = page.find(open); at != std::string::npos; at = page.find(open, at)) {
    at += open.size();
    blocks.push_back(page.substr(at, page.find("```", at) - at));
  }
  return blocks;
}

TEST(ShardFormatPage, ShowsTheBytesThatTheWriterWrites) {
  const testing::TemporaryFolder folder;
  WriteSmallShard(folder / "s.gan", 0);
  const std::vector<std::byte> bytes = BytesOf(folder / "s.gan");
  const auto all = std::span<const std::byte>(bytes);
  const std::string page = storage::ReadFile(EQUIPOISE_SOURCE_DIR "/docs/shard-format.md");
  const std::vector<std::string> shown = HexBlocks(page);
  ASSERT_EQ(shown.size(), 3U);
  EXPECT_EQ(shown[0], Hex(all.first(kHeaderUsedBytes)));
  EXPECT_EQ(shown[1], Hex(all.subspan(4096, 16)) + Hex(all.subspan(4288, 16)));
  EXPECT_EQ(shown[2], Hex(all.subspan(4672)));
}

}  // namespace
}  // namespace gan::shard
