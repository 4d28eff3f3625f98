// Work aside is done in order, can be dropped at each sign of life, and leaves the threads of training alone.
#include "trainer/run/aside.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <torch/utils.h>
#include <unistd.h>

#include <future>
#include <stdexcept>
#include <vector>

namespace gan::run {
namespace {

using std::chrono::milliseconds;

// Lets work wait until the test continues.
class Gate {
 public:
  void Open() { promise_.set_value(); }
  void Wait() const { future_.wait(); }

 private:
  std::promise<void> promise_;
  std::shared_future<void> future_ = promise_.get_future().share();
};

TEST(Aside, WorkIsDoneInOrder) {
  std::vector<int> done;
  Aside aside;
  for (int i = 0; i < 3; ++i) aside.Start([&done, i] { done.push_back(i); });
  aside.Finish();
  EXPECT_EQ(done, (std::vector<int>{0, 1, 2}));
}

TEST(Aside, TheOwnerGoesOnMeanwhileAndLearnsOfSignsOfLife) {
  Gate sign, end;
  std::promise<void> signed_once;
  Aside aside;
  EXPECT_EQ(aside.Wait(milliseconds(0)), Aside::Found::kDone);
  aside.Start([&] {
    sign.Wait();
    aside.Alive();
    signed_once.set_value();
    end.Wait();
  });
  EXPECT_EQ(aside.Wait(milliseconds(0)), Aside::Found::kSilent);
  sign.Open();
  signed_once.get_future().wait();
  EXPECT_EQ(aside.Wait(milliseconds(0)), Aside::Found::kAlive);
  EXPECT_EQ(aside.Wait(milliseconds(0)), Aside::Found::kSilent);
  end.Open();
  aside.Finish();
  EXPECT_EQ(aside.Wait(milliseconds(0)), Aside::Found::kDone);
}

TEST(Aside, TheFirstErrorIsHandedOverOnce) {
  Aside aside;
  aside.Start([] { throw std::runtime_error("first"); });
  aside.Start([] { throw std::runtime_error("second"); });
  try {
    aside.Finish();
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "first");
  }
  aside.Finish();
}

// Both would wait for ever if the work continued.
TEST(Aside, UnwantedWorkEndsAtItsNextSignOfLife) {
  Aside aside;
  bool later = false;
  aside.Start([&] {
    while (true) aside.Alive();
  });
  aside.Start([&] { later = true; });
  aside.Drop();
  EXPECT_FALSE(later);
  aside.Start([&] { later = true; });
  aside.Finish();
  EXPECT_TRUE(later);
}

TEST(Aside, ItEndsWithItsOwner) {
  Aside aside;
  aside.Start([&] {
    while (true) aside.Alive();
  });
}

TEST(Aside, ComputesWithOneThreadOfLowPriorityWhateverTrainingUses) {
  torch::set_num_threads(3);
  int threads = 0, priority = 0;
  torch::Tensor aside_product;
  const torch::Tensor a = torch::randn({400, 400});
  {
    Aside aside;
    aside.Start([&] {
      threads = torch::get_num_threads();
      priority = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
      aside_product = torch::mm(a, a);
    });
    aside.Finish();
  }
  EXPECT_EQ(threads, 1);
  EXPECT_GT(priority, ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())));
  EXPECT_EQ(torch::get_num_threads(), 3);
  torch::set_num_threads(1);
  EXPECT_TRUE(torch::equal(aside_product, torch::mm(a, a)));
}

}  // namespace
}  // namespace gan::run
