#include "monitoring/push/work_queue.h"

#include <gmock/gmock.h>

#include <vector>

namespace gan::monitoring {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

// A job that lasts until it is told to end.
class Gate {
 public:
  WorkQueue::Job Job() {
    return [this] {
      entered_ = true;
      while (!open_) std::this_thread::sleep_for(1ms);
    };
  }
  void AwaitEntered() const {
    while (!entered_) std::this_thread::sleep_for(1ms);
  }
  void Open() { open_ = true; }

 private:
  std::atomic<bool> entered_{false}, open_{false};
};

TEST(WorkQueueTest, JobsRunInOrderOnAnotherThread) {
  WorkQueue queue(10);
  std::vector<int> done;
  std::thread::id worker;
  for (int i = 0; i < 3; ++i)
    queue.Push([&done, &worker, i] {
      done.push_back(i);
      worker = std::this_thread::get_id();
    });
  queue.Start();
  ASSERT_TRUE(queue.Drain(60s));
  EXPECT_THAT(done, ElementsAre(0, 1, 2));
  EXPECT_NE(worker, std::this_thread::get_id());
}

TEST(WorkQueueTest, TheOldestJobOfAFullQueueIsDroppedAndCounted) {
  WorkQueue queue(2);
  Gate gate;
  std::vector<int> done;
  queue.Start();
  queue.Push(gate.Job());
  gate.AwaitEntered();
  for (int i = 0; i < 5; ++i) queue.Push([&done, i] { done.push_back(i); });
  EXPECT_EQ(queue.dropped(), 3u);
  gate.Open();
  ASSERT_TRUE(queue.Drain(60s));
  EXPECT_THAT(done, ElementsAre(3, 4));
}

TEST(WorkQueueTest, DrainGivesUpOnAJobThatDoesNotEnd) {
  WorkQueue queue(2);
  Gate gate;
  queue.Start();
  queue.Push(gate.Job());
  EXPECT_FALSE(queue.Drain(20ms));
  gate.Open();
}

TEST(WorkQueueTest, StoppingEndsAPauseAndDropsWhatWaits) {
  std::atomic<bool> paused{false}, ran{false};
  WorkQueue queue(10);
  queue.Start();
  queue.Push([&] {
    paused = true;
    queue.Pause(1h);
  });
  queue.Push([&] { ran = true; });
  while (!paused) std::this_thread::sleep_for(1ms);
  queue.Stop();
  EXPECT_TRUE(queue.Drain(60s));
  EXPECT_FALSE(ran);
}

TEST(WorkQueueTest, RegularWorkIsDoneBesideTheJobs) {
  std::atomic<int> regular{0}, jobs{0};
  WorkQueue queue(10);
  queue.Start(1ms, [&] { ++regular; });
  while (regular < 3) {
    queue.Push([&] { ++jobs; });
    std::this_thread::sleep_for(2ms);
  }
  EXPECT_TRUE(queue.Drain(60s));
  EXPECT_GT(jobs, 0);
}

}  // namespace
}  // namespace gan::monitoring
