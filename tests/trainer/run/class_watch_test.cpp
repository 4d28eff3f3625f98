// Classes that collapse, or that D separates, are reported by name, once, and the same on every rank.
#include "trainer/run/class_watch.h"

#include <gtest/gtest.h>

#include "tests/trainer/distributed/mpi_world.h"
#include "trainer/step/diversity.h"

namespace gan::run {
namespace {

data::Classes Three() { return {{{"a", 5}, {"b", 5}, {"c", 5}}, data::ClassSampling::kData}; }

// The numbers of a step for each class: the mean distance of its generated images, those of real images being 1 apart,
// and the logit of its real images, those of generated ones being 0.
struct Shown {
  double fake_distance, real_logit;
};

step::StepResult StepWith(const std::vector<Shown>& classes) {
  step::StepResult result;
  std::vector<double> real, fake, reals, fakes, of;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    real.insert(real.end(), {12, 12});
    fake.insert(fake.end(), {12 * classes[i].fake_distance, 12});
    for (int k = 0; k < 4; ++k) {
      reals.push_back(k % 2 == 0 ? classes[i].real_logit : -classes[i].real_logit / 2);
      if (classes[i].real_logit >= 9) reals.back() = 9;
      fakes.push_back(0);
      of.push_back(static_cast<double>(i));
    }
  }
  const auto row = [](const std::vector<double>& values) { return torch::tensor(values, torch::kDouble); };
  result.real_class_distances = row(real), result.fake_class_distances = row(fake);
  result.real_logits = row(reals), result.fake_logits = row(fakes);
  result.real_classes = result.fake_classes = row(of);
  return result;
}

class Watch : public testing::Test {
 protected:
  std::vector<std::string> Observe(const std::vector<Shown>& classes, int steps) {
    std::vector<std::string> lines;
    for (int i = 0; i < steps; ++i) {
      for (const std::string& line : watch_.Observe(StepWith(classes), *communicator_)) lines.push_back(line);
    }
    return lines;
  }

  std::shared_ptr<distributed::Communicator> communicator_ =
      distributed::Communicator::Create(distributed::TestWorld(), "control");
  ClassWatch watch_{Three()};
};

TEST_F(Watch, KnowsNothingBeforeItHasSeenEnough) {
  EXPECT_TRUE(Observe({{1, 1}, {0, 9}, {1, 1}}, 1).empty());
  EXPECT_TRUE(watch_.Numbers().at("class_diversity").at("b").is_null());
  EXPECT_TRUE(watch_.Numbers().at("class_auc").at("b").is_null());
}

TEST_F(Watch, TellsTheClassThatCollapsesAndThatItRecovers) {
  EXPECT_TRUE(Observe({{0.9, 1}, {0.8, 1}, {0.9, 1}}, 60).empty());
  EXPECT_NEAR(watch_.Numbers().at("class_diversity").at("b").get<double>(), 0.8, 1e-9);
  const auto lines = Observe({{0.9, 1}, {0.01, 1}, {0.9, 1}}, 200);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("class \"b\" has collapsed"), std::string::npos) << lines[0];
  EXPECT_EQ(watch_.Numbers().at("classes_collapsed"), nlohmann::json({"b"}));
  EXPECT_EQ(watch_.collapsed(), 1);
  const auto recovered = Observe({{0.9, 1}, {0.9, 1}, {0.9, 1}}, 200);
  ASSERT_EQ(recovered.size(), 1U);
  EXPECT_NE(recovered[0].find("class \"b\" is diverse again"), std::string::npos) << recovered[0];
  EXPECT_EQ(watch_.collapsed(), 0);
}

// At the start of a run all generated images are alike.
TEST_F(Watch, DoesNotTellThatNoClassIsDiverseYet) {
  EXPECT_TRUE(Observe({{0.01, 1}, {0.02, 1}, {0.01, 1}}, 100).empty());
  EXPECT_EQ(Observe({{0.9, 1}, {0.9, 1}, {0.02, 1}}, 200).size(), 1U);  // c stayed behind the others
}

TEST_F(Watch, TellsTheClassThatAloneIsSeparated) {
  EXPECT_TRUE(
      Observe({{0.9, 9}, {0.9, 9}, {0.9, 9}}, 100).empty());  // all of them: D is ahead, which concerns no single class
  EXPECT_EQ(watch_.Numbers().at("class_auc").at("a"), 1);
  ClassWatch fresh(Three());
  watch_ = fresh;
  const auto lines = Observe({{0.9, 1}, {0.9, 1}, {0.9, 9}}, 100);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("D separates the generated images of class \"c\""), std::string::npos) << lines[0];
  EXPECT_EQ(watch_.Numbers().at("classes_separated"), nlohmann::json({"c"}));
  EXPECT_EQ(watch_.Numbers().at("class_auc").at("a"), 0.5);
}

TEST_F(Watch, GoesOnFromItsState) {
  Observe({{0.9, 1}, {0.8, 1}, {0.9, 1}}, 60);
  Observe({{0.9, 1}, {0.01, 1}, {0.9, 1}}, 40);
  ClassWatch resumed(Three());
  resumed.Restore(nlohmann::json::parse(watch_.Save().dump()));
  EXPECT_EQ(resumed.Save(), watch_.Save());
  for (int i = 0; i < 100; ++i) {
    const auto result = StepWith({{0.9, 1}, {0.01, 1}, {0.9, 9}});
    EXPECT_EQ(resumed.Observe(result, *communicator_), watch_.Observe(result, *communicator_));
  }
  EXPECT_EQ(resumed.Numbers(), watch_.Numbers());
}

TEST_F(Watch, AStepThatIsNotFiniteSpoilsNothing) {
  Observe({{0.9, 1}, {0.8, 1}, {0.9, 1}}, 60);
  const nlohmann::json before = watch_.Numbers();
  step::StepResult bad = StepWith({{0.9, 1}, {0.8, 1}, {0.9, 1}});
  bad.fake_class_distances[0] = std::nan("");
  watch_.Observe(bad, *communicator_);
  EXPECT_NEAR(watch_.Numbers().at("class_diversity").at("a").get<double>(), 0.9, 1e-9);
}

// Rank 1 alone sees a class: every rank knows of it.
TEST_F(Watch, EveryRankKnowsWhatAnyHasSeen) {
  const int last = distributed::TestWorld().size - 1;
  for (int i = 0; i < 60; ++i) {
    step::StepResult result = StepWith({{0.9, 1}, {0.5, 1}, {0.9, 1}});
    if (distributed::TestWorld().rank != last) result.fake_class_distances.narrow(0, 2, 2).zero_();
    watch_.Observe(result, *communicator_);
  }
  EXPECT_NEAR(watch_.Numbers().at("class_diversity").at("b").get<double>(), 0.5, 1e-9);
}

TEST(ManyClasses, AreNotWatched) {
  ClassWatch watch({std::vector<data::ClassInfo>(33, {"x", 1}), data::ClassSampling::kData});
  EXPECT_TRUE(watch.Numbers().empty());
}

TEST(DistancesWithinClasses, AreThoseOfAllPairs) {
  torch::manual_seed(3);
  const torch::Tensor images = torch::rand({7, 3, 16, 16});
  const std::vector<int> of = {0, 1, 0, 2, 0, 1, 0};
  torch::Tensor classes = torch::zeros({7, 4});
  for (int i = 0; i < 7; ++i) classes[i][of[static_cast<std::size_t>(i)]] = 1;
  const torch::Tensor sums = step::DistancesWithinClasses(images, classes);
  const torch::Tensor small = torch::avg_pool2d(images, 2).flatten(1).to(torch::kDouble);
  for (int c = 0; c < 4; ++c) {
    double sum = 0, pairs = 0;
    for (int i = 0; i < 7; ++i) {
      for (int k = 0; k < 7; ++k) {
        if (i == k || of[static_cast<std::size_t>(i)] != c || of[static_cast<std::size_t>(k)] != c) continue;
        sum += (small[i] - small[k]).square().mean().sqrt().item<double>();
        ++pairs;
      }
    }
    EXPECT_NEAR(sums[c][0].item<double>(), sum, 1e-6) << c;
    EXPECT_EQ(sums[c][1].item<double>(), pairs) << c;
  }
}

}  // namespace
}  // namespace gan::run
