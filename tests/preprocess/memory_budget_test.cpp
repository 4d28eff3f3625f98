#include "preprocess/image/memory_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace gan::preprocess {
namespace {

// Every thread reserves again and again; what is held together is watched.
TEST(MemoryBudget, IsNeverExceededAndAGiantIsAlone) {
  constexpr std::uint64_t kTotal = 100;
  MemoryBudget budget(kTotal);
  std::atomic<std::uint64_t> held{0};
  std::atomic<int> alone{0};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t turn = 0; turn < 500; ++turn) {
        MemoryLease lease(budget);
        const std::uint64_t first = (t * 31 + turn * 17) % 40;
        lease.Reserve(first);
        const bool giant = turn % 50 == t;
        lease.ReserveMore(giant ? 5 * kTotal : 30);
        const std::uint64_t mine = giant ? kTotal : first + 30;
        EXPECT_LE(held += mine, kTotal);
        alone += giant ? 1 : 0;
        std::this_thread::yield();
        held -= mine;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(40, alone);
}

}  // namespace
}  // namespace gan::preprocess
