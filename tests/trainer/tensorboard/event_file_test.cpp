#include "trainer/tensorboard/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "storage/errors.h"

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

}  // namespace
}  // namespace gan::tensorboard
