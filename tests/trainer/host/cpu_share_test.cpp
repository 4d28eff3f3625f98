// Threads per rank on machines of several sizes: what the CPUs, the quota, the ranks and the binding make of them.
#include "trainer/host/cpu_share.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <set>

namespace gan::host {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

struct Machine {
  int packages, cores;
};
constexpr Machine kMachines[] = {{1, 8}, {2, 8}, {2, 16}};
constexpr double kQuotas[] = {kNoQuota, 4, 1.5};
constexpr int kRanks[] = {1, 2, 3, 4, 8};

std::vector<int> Range(int begin, int end) {
  std::vector<int> numbers(static_cast<std::size_t>(end - begin));
  std::iota(numbers.begin(), numbers.end(), begin);
  return numbers;
}

// CPUs as Linux numbers them: package after package.
std::vector<Cpu> CpusOf(const Machine& machine) {
  std::vector<Cpu> cpus;
  for (int i = 0; i < machine.packages * machine.cores; ++i) {
    cpus.push_back({i, i / machine.cores, i % machine.cores});
  }
  return cpus;
}

// The CPUs to which Open MPI 4.1 binds ranks by default: up to two ranks to a core each, more to a package each in
// turn.
std::vector<std::vector<int>> DefaultBinding(const Machine& machine, int ranks) {
  std::vector<std::vector<int>> bound;
  for (int rank = 0; rank < ranks; ++rank) {
    const int package = rank % machine.packages;
    bound.push_back(ranks <= 2 ? std::vector<int>{rank}
                               : Range(package * machine.cores, (package + 1) * machine.cores));
  }
  return bound;
}

CpuFacts FactsOf(const Machine& machine, int ranks, Binding binding, double quota = kNoQuota) {
  CpuFacts facts;
  facts.cpus = CpusOf(machine);
  const int all = machine.packages * machine.cores;
  facts.allowed = Range(0, all);
  facts.bound = binding == Binding::kNone
                    ? std::vector<std::vector<int>>(static_cast<std::size_t>(ranks), Range(0, all))
                    : DefaultBinding(machine, ranks);
  facts.binding = binding;
  facts.quota = quota;
  return facts;
}

std::vector<CpuShare> SharesOf(CpuFacts facts) {
  std::vector<CpuShare> shares;
  for (facts.rank = 0; facts.rank < static_cast<int>(facts.bound.size()); ++facts.rank)
    shares.push_back(CpuShareOf(facts));
  return shares;
}

// As the documents promise: all CPUs that the job may use, in equal whole shares, within the quota.
int Promised(const Machine& machine, int ranks, double quota) {
  const double cpus = std::min<double>(machine.packages * machine.cores, quota);
  return std::max(1, static_cast<int>(cpus) / ranks);
}

TEST(CpuShare, TableOfMachinesQuotasAndRanks) {
  std::printf("threads per rank, with the launcher's default binding and without any binding\n");
  std::printf("packages x cores  quota  ");
  for (const int ranks : kRanks) std::printf("%4d rank%s", ranks, ranks == 1 ? " " : "s");
  std::printf("\n");
  for (const Machine& machine : kMachines) {
    for (const double quota : kQuotas) {
      std::printf("%8d x %-2d  %9g  ", machine.packages, machine.cores, quota);
      for (const int ranks : kRanks) {
        for (const Binding binding : {Binding::kDefault, Binding::kNone}) {
          for (const CpuShare& share : SharesOf(FactsOf(machine, ranks, binding, quota))) {
            EXPECT_EQ(share.threads, Promised(machine, ranks, quota))
                << machine.packages << "x" << machine.cores << " quota " << quota << " ranks " << ranks;
          }
        }
        std::printf("%4d     ", Promised(machine, ranks, quota));
      }
      std::printf("\n");
    }
  }
}

TEST(CpuShare, DefaultBindingIsReplacedByDisjointPartsThatLeaveNoCpuOut) {
  for (const Machine& machine : kMachines) {
    for (const int ranks : kRanks) {
      std::multiset<int> used;
      for (const CpuShare& share : SharesOf(FactsOf(machine, ranks, Binding::kDefault))) {
        EXPECT_GE(share.run_on.size(), static_cast<std::size_t>(share.threads));
        used.insert(share.run_on.begin(), share.run_on.end());
      }
      const std::vector<int> all = Range(0, machine.packages * machine.cores);
      EXPECT_TRUE(std::equal(used.begin(), used.end(), all.begin(), all.end())) << ranks;
    }
  }
}

TEST(CpuShare, TwoRanksOnTwoPackagesGetAPackageEach) {
  const auto shares = SharesOf(FactsOf({2, 8}, 2, Binding::kDefault));
  EXPECT_EQ(shares[0].run_on, Range(0, 8));
  EXPECT_EQ(shares[1].run_on, Range(8, 16));
}

TEST(CpuShare, HardwareThreadsOfACoreStayTogether) {
  CpuFacts facts = FactsOf({1, 2}, 2, Binding::kDefault);
  facts.cpus = {{0, 0, 0}, {1, 0, 1}, {2, 0, 0}, {3, 0, 1}};  // 2 and 3 are the second threads of the cores of 0 and 1
  facts.allowed = Range(0, 4);
  const auto shares = SharesOf(facts);
  EXPECT_THAT(shares[0].run_on, ElementsAre(0, 2));
  EXPECT_THAT(shares[1].run_on, ElementsAre(1, 3));
}

TEST(CpuShare, BindingThatWasAskedForIsKept) {
  for (const int ranks : {1, 2}) {
    for (const CpuShare& share : SharesOf(FactsOf({2, 8}, ranks, Binding::kAskedFor))) {
      EXPECT_EQ(share.threads, 1);
      EXPECT_THAT(share.run_on, IsEmpty());
    }
  }
  // Four ranks bound to packages, two on each: they share its cores instead of taking all of them twice.
  for (const CpuShare& share : SharesOf(FactsOf({2, 8}, 4, Binding::kAskedFor))) EXPECT_EQ(share.threads, 4);
}

TEST(CpuShare, RanksWithoutABindingShareTheMaskOfAll) {
  CpuFacts facts = FactsOf({2, 16}, 4, Binding::kNone);
  facts.bound.assign(4, Range(0, 8));  // as under taskset, or in a container with a cpuset
  for (const CpuShare& share : SharesOf(facts)) {
    EXPECT_EQ(share.threads, 2);
    EXPECT_THAT(share.run_on, IsEmpty());
  }
}

TEST(CpuShare, MasksThatABatchSystemMadeDisjointAreUsedWhole) {
  CpuFacts facts = FactsOf({2, 16}, 2, Binding::kNone);
  facts.bound = {Range(0, 12), Range(12, 16)};
  EXPECT_EQ(SharesOf(facts)[0].threads, 12);
  EXPECT_EQ(SharesOf(facts)[1].threads, 4);
}

TEST(CpuShare, WhatTheLauncherMayNotUseIsNotShared) {
  CpuFacts facts = FactsOf({2, 8}, 2, Binding::kDefault);
  facts.allowed = Range(2, 6);
  const auto shares = SharesOf(facts);
  EXPECT_THAT(shares[0].run_on, ElementsAre(2, 3));
  EXPECT_THAT(shares[1].run_on, ElementsAre(4, 5));
  EXPECT_EQ(shares[1].threads, 2);
}

TEST(CpuShare, MoreRanksThanCpusGetOneThreadAndEveryCpu) {
  for (const CpuShare& share : SharesOf(FactsOf({1, 2}, 3, Binding::kDefault))) {
    EXPECT_EQ(share.threads, 1);
    EXPECT_THAT(share.run_on, ElementsAre(0, 1));
  }
}

TEST(CpuShare, SaysWhatWasFoundAndWhy) {
  EXPECT_THAT(CpuShareOf(FactsOf({1, 8}, 2, Binding::kDefault)).why,
              AllOf(HasSubstr("8 CPUs of this job on this host, shared by 2 ranks"),
                    HasSubstr("default binding to 1 CPU became one to 4 CPUs")));
  EXPECT_THAT(CpuShareOf(FactsOf({1, 8}, 1, Binding::kNone, 1.5)).why, HasSubstr("quota is 1.5 CPUs"));
  EXPECT_THAT(CpuShareOf(FactsOf({1, 8}, 1, Binding::kAskedFor)).why, HasSubstr("bound as requested"));
}

}  // namespace
}  // namespace gan::host
