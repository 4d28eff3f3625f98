#include "trainer/tensorboard/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "storage/errors.h"
#include "storage/files.h"

namespace gan::tensorboard {
namespace {

TEST(FrameTest, LengthAndChecksumsAreThoseOfTfRecord) {
  const std::string frame = Frame(std::string(3, '\0'));
  ASSERT_EQ(8 + 4 + 3 + 4, frame.size());
  EXPECT_EQ(std::string("\3\0\0\0\0\0\0\0", 8), frame.substr(0, 8));
  EXPECT_NE(frame.substr(8, 4), frame.substr(15, 4));
}

TEST(EventFileTest, AFolderThatIsNotThereIsNamed) {
  EXPECT_THAT([] { EventFile("absent-folder", 1); },
              testing::ThrowsMessage<IoError>(testing::HasSubstr("absent-folder/events.out.tfevents.")));
}

// Lets files grow no further than `bytes`, as a full disk does, while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST(EventFileTest, AnEventThatFindsNoRoomLeavesNothingTornBehind) {
  EventFile file(testing::TempDir(), 1);
  file.Add(1, {{"loss", 1}});
  const std::string before = storage::ReadFile(file.path());
  {
    const FileSizeLimit limit(before.size() + 5);
    EXPECT_THROW(file.Add(2, {{"loss", 2}}), IoError);
  }
  EXPECT_EQ(before, storage::ReadFile(file.path()));
  std::filesystem::remove(file.path());
}

}  // namespace
}  // namespace gan::tensorboard
