#include "trainer/host/host_cpus.h"

#include <gmock/gmock.h>

#include <cmath>
#include <thread>

#include "tests/trainer/host/made_host.h"

namespace gan::host {
namespace {

namespace fs = std::filesystem;

class Host : public MadeHost {};

TEST_F(Host, WithoutControlGroupsHasNoQuota) { EXPECT_TRUE(std::isinf(CpuQuota(root_))); }

TEST_F(Host, QuotaOfVersion2IsTheSmallestOfTheGroupsAroundTheProcess) {
  Write("proc/self/cgroup", "0::/pod/container");
  Write("sys/fs/cgroup/cpu.max", "max 100000");
  Write("sys/fs/cgroup/pod/cpu.max", "400000 100000");
  EXPECT_EQ(CpuQuota(root_), 4);
  Write("sys/fs/cgroup/pod/container/cpu.max", "150000 100000");
  EXPECT_EQ(CpuQuota(root_), 1.5);
}

TEST_F(Host, QuotaOfVersion2InsideAContainerIsAtTheRoot) {
  Write("proc/self/cgroup", "0::/");
  Write("sys/fs/cgroup/cpu.max", "50000 20000");
  EXPECT_EQ(CpuQuota(root_), 2.5);
}

TEST_F(Host, QuotaOfVersion1IsRead) {
  Write("proc/self/cgroup", "7:memory:/docker/a\n4:cpu,cpuacct:/docker/a\n0::/");
  Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1");
  Write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
  EXPECT_TRUE(std::isinf(CpuQuota(root_)));
  Write("sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_quota_us", "200000");
  Write("sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_period_us", "100000");
  EXPECT_EQ(CpuQuota(root_), 2);
}

TEST_F(Host, CpusAreThoseThatAreOnlineWithTheirPlaceInTheMachine) {
  Write("sys/devices/system/cpu/online", "0-1,3");
  for (const char* cpu : {"cpu0", "cpu1", "cpu3"}) {
    Write(fs::path("sys/devices/system/cpu") / cpu / "topology/physical_package_id", cpu[3] == '3' ? "1" : "0");
    Write(fs::path("sys/devices/system/cpu") / cpu / "topology/core_id", "5");
  }
  const std::vector<Cpu> cpus = CpusOfHost(root_);
  ASSERT_EQ(cpus.size(), 3U);
  EXPECT_EQ(cpus[2].number, 3);
  EXPECT_EQ(cpus[2].package, 1);
  EXPECT_EQ(cpus[1].core, 5);
}

TEST_F(Host, ThreadsThatRunAlreadyMoveToo) {
  const std::vector<int> before = AffinityOf(0);
  ASSERT_FALSE(before.empty());
  std::vector<int> seen;
  std::thread([&] {
    EXPECT_TRUE(RunOn({before.front()}));
    std::thread([&] { seen = AffinityOf(0); }).join();
  }).join();
  EXPECT_THAT(seen, testing::ElementsAre(before.front()));
  EXPECT_THAT(AffinityOf(0), testing::ElementsAre(before.front()));  // this thread was there before
  EXPECT_TRUE(RunOn(before));
}

}  // namespace
}  // namespace gan::host
