#include "trainer/run/device_feed.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace gan::run {
namespace {

step::Batch Numbered(std::uint64_t number) {
  step::Batch batch;
  batch.real = torch::full({1}, static_cast<double>(number));
  return batch;
}

float NumberOf(const step::Batch& batch) { return batch.real.item<float>(); }

TEST(DeviceFeed, GivesBatchesInTheOrderInWhichTheyAreMade) {
  std::uint64_t made = 0;
  DeviceFeed feed(torch::kCPU, [&made] { return Numbered(made++); });
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(NumberOf(feed.Next()), static_cast<float>(i));
  }
}

TEST(DeviceFeed, MakesAFewAheadAndThenWaits) {
  std::atomic<std::uint64_t> made = 0;
  DeviceFeed feed(torch::kCPU, [&made] { return Numbered(made++); });
  feed.Next();
  // One batch at the caller, two in the queue, and one that waits for a place in the queue.
  while (made < 4) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(made, 4);
}

TEST(DeviceFeed, AnErrorComesAfterTheBatchesBeforeItAndStays) {
  std::uint64_t made = 0;
  DeviceFeed feed(torch::kCPU, [&made]() -> step::Batch {
    if (made == 3) throw std::runtime_error("a damaged record");
    return Numbered(made++);
  });
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_EQ(NumberOf(feed.Next()), static_cast<float>(i));
  EXPECT_THROW(feed.Next(), std::runtime_error);
  EXPECT_THROW(feed.Next(), std::runtime_error);
}

TEST(DeviceFeed, EndsWhileBatchesAreLeft) {
  for (int i = 0; i < 50; ++i) {
    std::uint64_t made = 0;
    DeviceFeed feed(torch::kCPU, [&made] { return Numbered(made++); });
    if (i % 2 == 1) feed.Next();
  }
}

TEST(DeviceFeed, TellsHowLongItWasWaitedFor) {
  DeviceFeed feed(torch::kCPU, [] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    return Numbered(0);
  });
  feed.Next();
  feed.Next();
  EXPECT_GE(feed.wait_seconds(), 0.01);
}

}  // namespace
}  // namespace gan::run
