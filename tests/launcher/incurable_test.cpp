#include "launcher/incurable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/storage/temporary_folder.h"

namespace gan::launch {
namespace {

using ::testing::HasSubstr;

TEST(Incurable, LibrariesAreKnownByWhatTheirMpirunSays) {
  EXPECT_EQ(LibraryOf("mpirun (Open MPI) 4.1.4\n\nReport bugs to http://www.open-mpi.org/community/help/\n"),
            "Open MPI");
  EXPECT_EQ(LibraryOf("prterun (PRRTE) 3.0.7"), "Open MPI");
  EXPECT_EQ(LibraryOf("HYDRA build details:\n    Version:  4.0.2\n"), "MPICH");
  EXPECT_EQ(LibraryOf("Intel(R) MPI Library for Linux* OS, Version 2021.11"), "MPICH");
  EXPECT_EQ(LibraryOf("a wrapper of ours"), "");
}

TEST(Incurable, SharedMemoryIsTooSmallForSeveralRanksOnly) {
  LaunchOptions options;
  options.ranks = 2;
  EXPECT_THAT(WhySharedMemoryIsTooSmall(options, 65'536), HasSubstr("/dev/shm has 64 kB"));
  EXPECT_EQ(WhySharedMemoryIsTooSmall(options, 64U << 20), "");
  options.launcher = "srun";
  EXPECT_EQ(WhySharedMemoryIsTooSmall(options, 65'536), "");
  options.launcher = "mpirun";
  options.ranks = 1;
  EXPECT_EQ(WhySharedMemoryIsTooSmall(options, 65'536), "");
}

TEST(Incurable, AnOrdinaryFolderIsNoReason) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(WhyIncurable({}, folder.path(), false), "");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace gan::launch
