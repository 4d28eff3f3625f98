#include "storage/counted.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace gan::storage {
namespace {

TEST(Counted, OneIsSingularAndAnythingElseIsNot) {
  EXPECT_EQ(Counted(1, "step"), "1 step");
  EXPECT_EQ(Counted(0, "step"), "0 steps");
  EXPECT_EQ(Counted(std::uint64_t{11}, "step"), "11 steps");
  EXPECT_EQ(Counted(-1, "step"), "-1 steps");
}

TEST(Counted, APluralMayBeMoreThanAnAddedS) {
  EXPECT_EQ(Counted(1U, "class", "classes"), "1 class");
  EXPECT_EQ(Counted(2U, "label is", "labels are"), "2 labels are");
}

}  // namespace
}  // namespace gan::storage
