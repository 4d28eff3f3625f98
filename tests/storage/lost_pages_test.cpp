// Files that change under a mapping. Reading what is gone would end the process by SIGBUS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "storage/errors.h"
#include "storage/files.h"
#include "tests/storage/temporary_folder.h"

namespace gan::storage {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::size_t kPage = 4096;

std::size_t CountOnes(std::span<const std::byte> bytes) {
  return static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), std::byte{'1'}));
}

TEST(LostPages, AFileThatBecameShorterReadsAsZerosAndIsToldByName) {
  const testing::TemporaryFolder folder;
  WriteFileAtomically(folder / "a", std::string(5 * kPage, '1'));
  const MappedFile file(folder / "a");
  EXPECT_NO_THROW(file.RequireRead());
  const std::uint64_t before = LostPages();
  ASSERT_EQ(::truncate((folder / "a").c_str(), 2 * kPage), 0);
  EXPECT_EQ(CountOnes(file.bytes()), 2 * kPage);
  EXPECT_EQ(file.lost_pages(), 3U);
  EXPECT_EQ(LostPages(), before + 3);
  EXPECT_THAT([&] { file.RequireRead(); },
              ThrowsMessage<DataError>(AllOf(HasSubstr((folder / "a").string()), HasSubstr("became shorter"))));
}

TEST(LostPages, OtherFilesAreNotToBlame) {
  const testing::TemporaryFolder folder;
  WriteFileAtomically(folder / "a", std::string(2 * kPage, '1'));
  WriteFileAtomically(folder / "b", std::string(2 * kPage, '1'));
  const MappedFile good(folder / "a");
  MappedFile moved(folder / "b");
  const MappedFile bad = std::move(moved);
  ASSERT_EQ(::truncate((folder / "b").c_str(), 0), 0);
  EXPECT_EQ(CountOnes(bad.bytes()), 0U);
  EXPECT_EQ(CountOnes(good.bytes()), 2 * kPage);
  EXPECT_EQ(bad.lost_pages(), 2U);
  EXPECT_NO_THROW(good.RequireRead());
}

TEST(LostPages, ManyThreadsMayMeetThemAtOnce) {
  const testing::TemporaryFolder folder;
  WriteFileAtomically(folder / "a", std::string(256 * kPage, '1'));
  const MappedFile file(folder / "a");
  ASSERT_EQ(::truncate((folder / "a").c_str(), 0), 0);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { EXPECT_EQ(CountOnes(file.bytes()), 0U); });
  for (int i = 0; i < 50; ++i) EXPECT_EQ(MappedFile(folder / "a").bytes().size(), 0U);
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(file.lost_pages(), 256U);
}

// An access outside of all mapped files still ends the process.
TEST(LostPagesDeathTest, OtherBusErrorsStillEndTheProcess) {
  const testing::TemporaryFolder folder;
  WriteFileAtomically(folder / "a", "1");
  const MappedFile file(folder / "a");
  EXPECT_EXIT(std::raise(SIGBUS), ::testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace gan::storage
