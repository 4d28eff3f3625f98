#include "storage/rank_board.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "tests/storage/temporary_folder.h"

namespace gan::storage {
namespace {

namespace fs = std::filesystem;

fs::path FileOfBoard() { return std::getenv(RankBoard::kBoardVariable); }

TEST(RankBoardTest, NotesOutliveTheProcessThatWroteThem) {
  RankBoard board = RankBoard::Create(2);
  ASSERT_EQ(board.size(), 2u);
  const pid_t child = ::fork();
  if (child == 0) {
    RankBoard mine = RankBoard::OfLauncher();
    RankSlot& slot = mine.Slot(1);
    slot.Begin();
    slot.SetSection("a section with a long name");
    slot.collective.entered = 7;
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(board.Slot(0).process, 0);
  EXPECT_EQ(board.Slot(1).process, child);
  EXPECT_STREQ(board.Slot(1).section.data(), "a section with ");
  EXPECT_EQ(board.Slot(1).collective.entered, 7u);
  board.Clear();
  EXPECT_EQ(board.Slot(1).process, 0);
}

TEST(RankBoardTest, TheSnapshotIsTheFirstOne) {
  RankBoard board = RankBoard::Create(3);
  board.Slot(0).Begin();
  board.Slot(1).Begin();
  board.Slot(1).SetSection("step");
  board.Slot(1).collective.entered = 7;
  const std::uint64_t beat = board.Slot(1).beat_nanoseconds;
  EXPECT_EQ(&board.Seen(1), &board.Slot(1)) << "before the snapshot it is what is there now";
  const pid_t child = ::fork();
  if (child == 0) {
    RankBoard::OfLauncher().TakeSnapshot();
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  board.Slot(1).Beat();  // woken
  board.Slot(1).SetSection("save");
  board.Slot(1).collective.entered = 8;
  board.TakeSnapshot();
  EXPECT_EQ(board.Seen(1).beat_nanoseconds, beat);
  EXPECT_STREQ(board.Seen(1).section.data(), "step");
  EXPECT_EQ(board.Seen(1).collective.entered, 7u);
  EXPECT_EQ(board.Seen(2).process, 0);
  board.Clear();
  EXPECT_EQ(board.Seen(1).process, 0);
  EXPECT_EQ(board.Seen(7).process, 0);
  board.Slot(0).SetSection("start");
  board.Slot(0).Begin();
  board.TakeSnapshot();
  EXPECT_STREQ(board.Seen(0).section.data(), "start") << "each attempt has its own";
}

TEST(RankBoardTest, TheFileIsPrivateAndGoesWithItsCreator) {
  fs::path file;
  {
    const RankBoard board = RankBoard::Create(1);
    file = FileOfBoard();
    struct stat found {};
    ASSERT_EQ(::stat(file.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600u);
    { const RankBoard reader = RankBoard::OfLauncher(); }
    EXPECT_TRUE(fs::exists(file)) << "a reader must not remove it";
  }
  EXPECT_FALSE(fs::exists(file));
}

TEST(RankBoardTest, WithoutABoardNotesGoWhereNobodyReads) {
  ::setenv(RankBoard::kBoardVariable, "/no/such/board", 1);
  RankBoard board = RankBoard::OfLauncher();
  EXPECT_EQ(board.size(), 0u);
  board.Slot(3).Begin();
  ::unsetenv(RankBoard::kBoardVariable);
  EXPECT_EQ(RankBoard::OfLauncher().size(), 0u);
}

TEST(RankBoardTest, AnyOtherFileIsNoBoard) {
  const gan::testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "short") << "x";
  std::ofstream(folder.path() / "empty").close();
  fs::create_symlink(folder.path() / "short", folder.path() / "link");
  for (const char* name : {"short", "empty", "link", ""}) {
    ::setenv(RankBoard::kBoardVariable, (folder.path() / name).c_str(), 1);
    EXPECT_EQ(RankBoard::OfLauncher().size(), 0u) << name;
  }
  ::unsetenv(RankBoard::kBoardVariable);
}

}  // namespace
}  // namespace gan::storage
