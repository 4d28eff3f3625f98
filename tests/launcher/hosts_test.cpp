#include "launcher/hosts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace gan::launch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<Host> kFour = {{"a", 2}, {"b", 2}, {"c", 2}, {"d", 2}};

TEST(Hosts, AreThoseOfEveryFlagThatNamesSome) {
  const auto path = std::filesystem::temp_directory_path() / ("equipoise-hostfile-" + std::to_string(::getpid()));
  std::ofstream(path) << "# mine\nnode1 slots=4 max_slots=8\nnode2\n";
  EXPECT_EQ(HostsOf({"--mca", "btl", "tcp", "--hostfile", path.string(), "-H", "x:3,y,y"}),
            (std::vector<Host>{{"node1", 4}, {"node2", {}}, {"x", 3}, {"y", 1}, {"y", 1}}));
  EXPECT_THAT(HostsOf({"--oversubscribe"}), IsEmpty());
  std::filesystem::remove(path);
}

TEST(Placement, TakesTheMostRanksThatDivideAndFit) {
  const auto placement = PlaceWithout({"b"}, kFour, 8, 2);
  ASSERT_TRUE(placement);
  EXPECT_EQ(placement->ranks, 4u);  // six slots, but 6 and 5 don't divide 8
  EXPECT_EQ(HostfileText(placement->hosts), "a slots=2\nc slots=2\nd slots=2\n");
}

TEST(Placement, KeepsAllRanksWhereTheOthersHaveRoom) {
  const auto placement = PlaceWithout({"d"}, kFour, 6, 0);
  ASSERT_TRUE(placement);
  EXPECT_EQ(placement->ranks, 6u);
}

TEST(Placement, IsNoneBelowTheFewestOrWithoutAHost) {
  EXPECT_FALSE(PlaceWithout({"b"}, kFour, 8, 0));  // 0: fewer than 8 ranks are not allowed
  EXPECT_FALSE(PlaceWithout({"a", "b", "c"}, kFour, 8, 4));
  EXPECT_FALSE(PlaceWithout({"a", "b", "c", "d"}, kFour, 8, 1));
}

TEST(Placement, TrustsOpenMpiWhereSlotsAreUnknown) {
  const auto placement = PlaceWithout({"a"}, {{"a", {}}, {"b", {}}}, 4, 1);
  ASSERT_TRUE(placement);
  EXPECT_EQ(placement->ranks, 4u);
  EXPECT_EQ(HostfileText(placement->hosts), "b\n");
}

TEST(Placement, ReplacesEveryNamingOfHosts) {
  EXPECT_THAT(WithHostfile({"--hostfile", "old", "--bind-to", "core", "-H", "x,y"}, "run/launch.hosts"),
              ElementsAre("--bind-to", "core", "--hostfile", "run/launch.hosts"));
}

TEST(Reachable, AsksThroughTheAgentOfMpirunAndNotThisMachine) {
  const std::vector<Host> hosts = {{"localhost", 1}, {"127.0.0.1", 1}, {"no-such-host.invalid", 1}};
  EXPECT_THAT(Unreachable(hosts, {"--mca", "plm_rsh_agent", "/bin/false"}), ElementsAre("no-such-host.invalid"));
  EXPECT_THAT(Unreachable(hosts, {"--mca", "plm_rsh_agent", "/bin/true"}), IsEmpty());
  EXPECT_THAT(Unreachable(hosts, {"--mca", "plm_rsh_agent", "/no/such/agent"}), ElementsAre("no-such-host.invalid"));
}

}  // namespace
}  // namespace gan::launch
