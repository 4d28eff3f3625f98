// Tests who listens on which address while ranks on GPUs meet; no GPU is needed for that.
#include "trainer/distributed/rendezvous.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "storage/errors.h"
#include "tests/trainer/distributed/mpi_world.h"
#include "trainer/distributed/cuda.h"

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

TEST(Rendezvous, HostWhoseNameIsNotResolvedIsFoundByItsAddress) {
  const HostAddresses own{"pod-0", {"192.0.2.1"}};
  const auto interface = InterfaceTowards({"no.such.host.invalid", {"192.0.2.1", "127.0.0.1"}}, own);
  ASSERT_TRUE(interface);
  EXPECT_EQ(interface->address, "127.0.0.1");
  // The only address is one that this host has as well, so it is not the other host's alone.
  EXPECT_FALSE(InterfaceTowards({"no.such.host.invalid", {"127.0.0.1"}}, {"pod-0", {"127.0.0.1"}}));
  EXPECT_FALSE(InterfaceTowards({"no.such.host.invalid", {}}, own));
}

TEST(Rendezvous, AddressesOfThisHostAreThoseThatOthersCanUse) {
  const HostAddresses host = ThisHost();
  EXPECT_FALSE(host.name.empty());
  for (const std::string& address : host.addresses) {
    EXPECT_THAT(address, testing::Not(testing::AnyOf("127.0.0.1", "::1", testing::HasSubstr("%"))));
    EXPECT_TRUE(InterfaceTowards(address)) << address;
  }
}

World OnOneHost(int rank, int ranks) {
  World world;
  world.rank = world.local_rank = rank;
  world.size = world.local_size = ranks;
  return world;
}

TEST(Cuda, EachRankOfAHostHasAGpuOfItsOwn) {
  EXPECT_EQ(DeviceOfRank(OnOneHost(2, 4), 4, /*apart=*/false), 2);
  EXPECT_EQ(DeviceOfRank(OnOneHost(1, 2), 8, /*apart=*/false), 1);
}

TEST(Cuda, ABuildForCpusSaysHowToMakeOneForGpus) {
  EXPECT_EQ(WhyNoGpu("libtorch_cuda.so: cannot open shared object file", 0),
            "this build has no GPU part that loads (libtorch_cuda.so: cannot open shared object file). "
            "Run setup/libtorch.sh --cuda and build again");
  EXPECT_EQ(WhyNoGpu("", 0), "no CUDA device was found: the driver reports no GPU");
  EXPECT_EQ(WhyNoGpu("", 2), "");
}

TEST(Cuda, MoreRanksThanGpusAreAnErrorInOneLine) {
  try {
    DeviceOfRank(OnOneHost(0, 4), 1, /*apart=*/false);
    FAIL() << "no error";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), testing::MatchesRegex("4 ranks on host [^ ]+, but only 1 GPU: start at most one rank per "
                                                    "GPU, or pass --device cpu"));
  }
  // Ranks that NCCL takes for those of different hosts may share a GPU.
  EXPECT_EQ(DeviceOfRank(OnOneHost(3, 4), 2, /*apart=*/true), 1);
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
