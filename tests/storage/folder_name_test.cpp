#include "storage/folder_name.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace gan::storage {
namespace {

TEST(NameOfFolder, IsThatOfTheFolderHoweverItIsWritten) {
  for (const char* path :
       {"first", "runs/first", "runs/first/", "runs/first//", "runs/first/.", "/runs/other/../first/"}) {
    EXPECT_EQ("first", NameOfFolder(path)) << path;
  }
  EXPECT_EQ(std::filesystem::current_path().filename(), NameOfFolder("."));
  EXPECT_EQ(std::filesystem::current_path().filename(), NameOfFolder("./"));
  EXPECT_EQ("", NameOfFolder("/"));
}

}  // namespace
}  // namespace gan::storage
