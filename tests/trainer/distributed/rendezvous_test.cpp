// Who listens on which address while ranks on GPUs meet; no GPU is needed for that.
#include "trainer/distributed/rendezvous.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/trainer/distributed/mpi_world.h"

namespace gan::distributed {
namespace {

namespace fs = std::filesystem;

std::set<std::string> SocketsOfThisProcess() {
  std::set<std::string> inodes;
  for (const auto& descriptor : fs::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    const std::string target = fs::read_symlink(descriptor.path(), ignored).string();
    if (target.starts_with("socket:[")) inodes.insert(target.substr(8, target.size() - 9));
  }
  return inodes;
}

// The local addresses, in the kernel's hexadecimal, on which this process listens.
std::multiset<std::string> Listening() {
  const std::set<std::string> own = SocketsOfThisProcess();
  std::multiset<std::string> addresses;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream lines(table);
    std::string line;
    std::getline(lines, line);  // the heading
    while (std::getline(lines, line)) {
      std::istringstream fields(line);
      std::string number, local, remote, state, queues, timer, retransmits, user, timeout, inode;
      fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
      if (state == "0A" && own.contains(inode)) addresses.insert(local.substr(0, local.find(':')));
    }
  }
  return addresses;
}

TEST(Rendezvous, OfOneHostListensOnLoopbackAlone) {
  ::unsetenv("NCCL_SOCKET_IFNAME");
  const auto communicator = Communicator::Create(TestWorld(), "meeting");
  const std::multiset<std::string> before = Listening();
  const Rendezvous met = Meet(*communicator, TestWorld());
  const std::multiset<std::string> now = Listening();
  std::vector<std::string> added;
  std::set_difference(now.begin(), now.end(), before.begin(), before.end(), std::back_inserter(added));
  if (communicator->rank() == 0) {
    EXPECT_THAT(added, testing::ElementsAre("0100007F"));  // 127.0.0.1
  } else {
    EXPECT_THAT(added, testing::IsEmpty());
  }
  EXPECT_STREQ(std::getenv("NCCL_SOCKET_IFNAME"), "lo");
  EXPECT_THAT(met.log_line, testing::HasSubstr("127.0.0.1 (lo); NCCL listens on lo"));
  communicator->Barrier();
}

TEST(Rendezvous, IsSharedByAllRanks) {
  const auto communicator = Communicator::Create(TestWorld(), "meeting");
  const Rendezvous met = Meet(*communicator, TestWorld());
  if (communicator->rank() == 0) met.store->set("greeting", std::string("hello"));
  EXPECT_EQ(met.store->get_to_str("greeting"), "hello");
  communicator->Barrier();  // the store goes with rank 0
}

TEST(Rendezvous, InterfaceOfTheUserIsKept) {
  ::setenv("NCCL_SOCKET_IFNAME", "ib0", 1);
  const auto communicator = Communicator::Create(TestWorld(), "meeting");
  const Rendezvous met = Meet(*communicator, TestWorld());
  EXPECT_THAT(met.log_line, testing::HasSubstr("NCCL listens on ib0"));
  EXPECT_STREQ(std::getenv("NCCL_SOCKET_IFNAME"), "ib0");
  ::unsetenv("NCCL_SOCKET_IFNAME");
  communicator->Barrier();
}

TEST(Rendezvous, InterfaceIsTheOneThatTheRouteTakes) {
  const auto loopback = InterfaceTowards("127.0.0.1");
  ASSERT_TRUE(loopback);
  EXPECT_EQ(loopback->name, "lo");
  EXPECT_EQ(loopback->address, "127.0.0.1");
  EXPECT_FALSE(InterfaceTowards("no.such.host.invalid"));
}

TEST(Communicator, OfOneRankOnAGpuOpensNothing) {
  if (TestWorld().size > 1) return;  // more ranks need NCCL, and so a GPU
  const auto communicator = Communicator::Create(TestWorld(), "gradients", "cuda");
  EXPECT_EQ(communicator->rendezvous(), "");
  torch::Tensor there = torch::zeros({3}, torch::kMeta);  // as a tensor on a GPU: no backend of the CPU's takes it
  EXPECT_NO_THROW(communicator->AllReduce(there));
  EXPECT_NO_THROW(communicator->AllReduce(std::vector<torch::Tensor>{there}));
  EXPECT_NO_THROW(communicator->Broadcast(there));
}

}  // namespace
}  // namespace gan::distributed
