#include "launcher/slots.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "launcher/hosts.h"
#include "storage/errors.h"

namespace gan::launch {
namespace {

class Slots : public ::testing::Test {
 protected:
  ~Slots() override { std::filesystem::remove(path_); }

  void Write(const std::string& text) { std::ofstream(path_) << text; }
  LaunchOptions Job(std::uint64_t ranks, std::vector<std::string> arguments = {}) const {
    LaunchOptions options;
    options.ranks = ranks;
    options.launcher_arguments = {"--hostfile", path_.string()};
    options.launcher_arguments.insert(options.launcher_arguments.end(), arguments.begin(), arguments.end());
    return options;
  }

  std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("equipoise-hosts-" + std::to_string(::getpid()));
};

TEST_F(Slots, AreSummedOverHostsAndCommentsDoNotCount) {
  Write("# two hosts\nnode1 slots=2 max_slots=9\n\n  node2   slots=3 # slots=100\n");
  EXPECT_EQ(SlotsOf(HostsInFile(path_)), 5u);
}

TEST_F(Slots, AreUnknownWhenAHostLeavesThemToOpenMpi) {
  Write("node1 slots=2\nnode2\n");
  EXPECT_EQ(SlotsOf(HostsInFile(path_)), std::nullopt);
  EXPECT_NO_THROW(RequireSlots(Job(64)));
  Write("node1 slots=many\n");
  EXPECT_EQ(SlotsOf(HostsInFile(path_)), std::nullopt);
}

TEST_F(Slots, TooFewAreRefusedAndEnoughAreNot) {
  Write("node1 slots=2\nnode2 slots=1\n");
  EXPECT_THROW(RequireSlots(Job(4)), UsageError);
  EXPECT_NO_THROW(RequireSlots(Job(3)));
}

TEST_F(Slots, MayBeFewerWhereTheUserAllowsFewerRanksOrOversubscribes) {
  Write("node1 slots=2\n");
  LaunchOptions fewer = Job(4);
  fewer.allow_fewer_ranks = 2;
  EXPECT_NO_THROW(RequireSlots(fewer));
  fewer.allow_fewer_ranks = 3;
  EXPECT_THROW(RequireSlots(fewer), UsageError);
  EXPECT_NO_THROW(RequireSlots(Job(4, {"--oversubscribe"})));
  EXPECT_NO_THROW(RequireSlots(Job(4, {"--map-by", "node:OVERSUBSCRIBE"})));
}

TEST_F(Slots, MissingHostfileIsRefused) { EXPECT_THROW(RequireSlots(Job(1)), UsageError); }

}  // namespace
}  // namespace gan::launch
