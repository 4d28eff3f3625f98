#include "trainer/host/host_memory.h"

#include <cmath>

#include "tests/trainer/host/made_host.h"

namespace gan::host {
namespace {

class Memory : public MadeHost {};

TEST_F(Memory, UnknownMemoryIsNoLimit) { EXPECT_TRUE(std::isinf(AvailableMemory(root_))); }

TEST_F(Memory, TheKernelsEstimateIsTaken) {
  Write("proc/meminfo", "MemTotal:       8000000 kB\nMemFree:  1000 kB\nMemAvailable:   4000000 kB");
  EXPECT_EQ(AvailableMemory(root_), 4000000.0 * 1024);
}

TEST_F(Memory, ALimitOfVersion2LeavesWhatIsNotUsed) {
  Write("proc/meminfo", "MemAvailable:   4000000 kB");
  Write("proc/self/cgroup", "0::/pod/container");
  Write("sys/fs/cgroup/pod/memory.max", "2000000000");
  Write("sys/fs/cgroup/pod/memory.current", "500000000");
  Write("sys/fs/cgroup/pod/container/memory.max", "max");
  Write("sys/fs/cgroup/pod/container/memory.current", "400000000");
  EXPECT_EQ(AvailableMemory(root_), 1500000000.0);
}

TEST_F(Memory, ALimitOfVersion1IsRead) {
  Write("proc/meminfo", "MemAvailable:   4000000 kB");
  Write("proc/self/cgroup", "7:memory:/docker/a\n4:cpu,cpuacct:/docker/a");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  Write("sys/fs/cgroup/memory/memory.usage_in_bytes", "1000");
  EXPECT_EQ(AvailableMemory(root_), 4000000.0 * 1024);
  Write("sys/fs/cgroup/memory/docker/a/memory.limit_in_bytes", "1000000");
  Write("sys/fs/cgroup/memory/docker/a/memory.usage_in_bytes", "1000001");
  EXPECT_EQ(AvailableMemory(root_), 0);
}

TEST_F(Memory, ThePageCacheOfAGroupCanBeFreed) {
  Write("proc/meminfo", "MemAvailable:   4000000 kB");
  Write("proc/self/cgroup", "0::/pod");
  Write("sys/fs/cgroup/pod/memory.max", "2000000000");
  Write("sys/fs/cgroup/pod/memory.current", "1990000000");
  Write("sys/fs/cgroup/pod/memory.stat",
        "anon 400000000\nfile 1500000000\nshmem 60000000\ninactive_file 1000000000\n"
        "active_file 500000000\nslab 90000000\n");
  EXPECT_EQ(AvailableMemory(root_), 1510000000.0);
  Write("proc/self/cgroup", "7:memory:/a");
  Write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "3000000000");
  Write("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "2900000000");
  Write("sys/fs/cgroup/memory/a/memory.stat",
        "cache 1\ninactive_file 7\ntotal_inactive_file 2000000000\ntotal_active_file 100000000\n");
  EXPECT_EQ(AvailableMemory(root_), 2200000000.0);
  // The statistics are read at another moment than the usage.
  Write("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "1000000000");
  EXPECT_EQ(AvailableMemory(root_), 3000000000.0);
}

}  // namespace
}  // namespace gan::host
