#include "storage/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <utility>

#include "storage/errors.h"
#include "tests/storage/temporary_folder.h"

namespace gan::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::size_t CountFiles(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(AtomicFile, AppearsOnlyWithCommit) {
  const testing::TemporaryFolder folder;
  AtomicFile file(folder / "a");
  file.Append("hello world");
  file.WriteAt(0, std::as_bytes(std::span("J", 1)));
  EXPECT_FALSE(fs::exists(folder / "a"));
  file.Commit();
  EXPECT_EQ(ReadFile(folder / "a"), "Jello world");
  EXPECT_EQ(CountFiles(folder.path()), 1U);
}

TEST(AtomicFile, LeavesNothingWithoutCommitAndKeepsTheOldFile) {
  const testing::TemporaryFolder folder;
  WriteFileAtomically(folder / "a", "old");
  { AtomicFile(folder / "a").Append("new"); }
  EXPECT_EQ(ReadFile(folder / "a"), "old");
  EXPECT_EQ(CountFiles(folder.path()), 1U);
}

TEST(AtomicFile, MissingFolderIsReportedWithTheSystemsWords) {
  const testing::TemporaryFolder folder;
  EXPECT_THAT([&] { AtomicFile(folder / "none/a"); }, ThrowsMessage<IoError>(HasSubstr("No such file or directory")));
}

TEST(RequireWritable, NamesTheFlagAndWhatIsInTheWay) {
  const testing::TemporaryFolder folder;
  WriteFileAtomically(folder / "file", "x");
  EXPECT_NO_THROW(RequireWritable("--out", folder / "new"));
  EXPECT_NO_THROW(RequireWritable("--out", folder / "file"));
  EXPECT_NO_THROW(RequireWritable("--out", "beside-the-program"));
  const std::pair<fs::path, const char*> refused[] = {{folder / "none/a", "none is no folder"},
                                                      {folder / "file/a", "file is no folder"},
                                                      {folder.path(), "is a folder"}};
  for (const auto& [file, words] : refused) {
    EXPECT_THAT([&] { RequireWritable("--out", file); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("--out " + file.string()), HasSubstr(words))));
  }
}

TEST(AtomicFile, ReplacesALinkAndNotItsTarget) {
  const testing::TemporaryFolder folder;
  WriteFileAtomically(folder / "target", "kept");
  fs::create_symlink(folder / "target", folder / "link");
  WriteFileAtomically(folder / "link", "new");
  EXPECT_EQ(ReadFile(folder / "target"), "kept");
  EXPECT_FALSE(fs::is_symlink(folder / "link"));
}

// A limit on the size of files stands in for a full disk: the write comes back short, then with an error.
TEST(AtomicFile, RefusedWriteIsReportedAndLeavesNothing) {
  const testing::TemporaryFolder folder;
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {1000, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  int error = 0;
  try {
    AtomicFile(folder / "a").Append(std::string(5000, 'x'));
  } catch (const IoError& e) {
    error = e.error_number();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(error, EFBIG);
  EXPECT_EQ(CountFiles(folder.path()), 0U);
}

TEST(ReadFile, TooLargeFileIsRefusedAndMissingOneReported) {
  const testing::TemporaryFolder folder;
  WriteFileAtomically(folder / "a", "12345");
  EXPECT_THROW(ReadFile(folder / "a", 4), DataError);
  EXPECT_EQ(ReadFile(folder / "a", 5), "12345");
  EXPECT_THROW(ReadFile(folder / "b"), IoError);
  EXPECT_THROW(ReadFile(folder.path()), DataError);
}

TEST(Umask, DecidesAboutTheModesOfFilesAndFolders) {
  const testing::TemporaryFolder folder;
  const mode_t before = ::umask(0);
  WriteFileAtomically(folder / "open", "x");
  MakeFolders(folder / "folder");
  ::umask(077);
  WriteFileAtomically(folder / "closed", "x");
  ::umask(before);
  EXPECT_EQ(fs::status(folder / "open").permissions(), static_cast<fs::perms>(0666));
  EXPECT_EQ(fs::status(folder / "folder").permissions(), static_cast<fs::perms>(0777));
  EXPECT_EQ(fs::status(folder / "closed").permissions(), static_cast<fs::perms>(0600));
}

TEST(RemoveTemporaries, TakesLeftoversOnly) {
  const testing::TemporaryFolder folder;
  WriteFileAtomically(folder / "a.gan", "kept");
  WriteFileAtomically(folder / "b.gan.tmp-77", "left over");
  RemoveTemporaries(folder.path());
  EXPECT_TRUE(fs::exists(folder / "a.gan"));
  EXPECT_FALSE(fs::exists(folder / "b.gan.tmp-77"));
}

TEST(MappedFile, ShowsTheBytesAndMoves) {
  const testing::TemporaryFolder folder;
  WriteFileAtomically(folder / "a", "abc");
  MappedFile first(folder / "a");
  const MappedFile second = std::move(first);
  ASSERT_EQ(second.bytes().size(), 3U);
  EXPECT_EQ(second.bytes()[2], std::byte{'c'});
}

TEST(MappedFile, EmptyFileHasNoBytesAndAFolderIsRefused) {
  const testing::TemporaryFolder folder;
  WriteFileAtomically(folder / "empty", "");
  EXPECT_TRUE(MappedFile(folder / "empty").bytes().empty());
  EXPECT_THROW(MappedFile(folder.path()), DataError);
  EXPECT_THROW(MappedFile(folder / "none"), IoError);
}

TEST(FolderLock, SecondHolderIsRefusedByNameUntilTheFirstLetsGo) {
  const testing::TemporaryFolder folder;
  {
    const FolderLock first(folder.path());
    EXPECT_THAT([&] { FolderLock second(folder.path()); },
                ThrowsMessage<UsageError>(HasSubstr(folder.path().string())));
  }
  EXPECT_NO_THROW(FolderLock{folder.path()});
}

TEST(Errors, NameFileAndOffset) {
  EXPECT_STREQ(DataError("a/b.gan", 4096, "is torn").what(), "a/b.gan at byte 4096: is torn");
  EXPECT_STREQ(IoError("a", "write", ENOSPC).what(), "write a: No space left on device");
}

}  // namespace
}  // namespace gan::storage
