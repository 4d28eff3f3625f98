#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/trainer/balance/scripted_signals.h"

namespace gan::balance {
namespace {

// A made-up run that visits every verdict; numbers with many digits, so that a lost bit shows.
Signals Wandering(std::uint64_t step) {
  const double x = static_cast<double>(step);
  Signals signals = With(0.75 + 0.25 * std::sin(x / 60), 1.0 + 0.35 * std::cos(x / 60), 2 + std::sin(x / 7));
  if (step % 40 == 0) {
    signals.diversity_reference = 0.8;
    signals.diversity = 0.5 + 0.3 * std::sin(x / 300);
  }
  signals.finite = step % 333 != 0;
  return signals;
}

BalanceOptions Lively() {
  BalanceOptions options = Quick();
  options.smoothing_steps = 7;
  return options;
}

TEST(State, RestoredRunEqualsTheUninterruptedOneBitForBit) {
  Controller whole(Lively());
  Controller pieces(Lively());
  int interventions = 0;
  for (std::uint64_t step = 1; step <= 2000; ++step) {
    const auto expected = whole.Observe(step, Wandering(step));
    const auto actual = pieces.Observe(step, Wandering(step));
    ASSERT_EQ(actual.size(), expected.size()) << step;
    for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_EQ(actual[i].reason, expected[i].reason);
    interventions += static_cast<int>(actual.size());
    ASSERT_EQ(pieces.Save().dump(), whole.Save().dump()) << step;
    const std::string text = pieces.Save().dump();
    pieces = Controller(Lively());
    pieces.Restore(nlohmann::json::parse(text));
  }
  EXPECT_GT(interventions, 10) << "the run must be one in which something happens";
}

TEST(State, AStepThatIsNotFiniteRightAfterARestoreFindsAugmentationWhereItWas) {
  BalanceOptions options = Quick();
  options.action_groups = ParseActionGroups("augment,d-rate");
  options.max_augment = 1;
  options.augment_epochs = 10;
  options.steer_gain = 1e-3;  // still on its way up
  Signals wins = DiscriminatorWins();
  wins.auc_augmented = 1;
  wins.epoch = 50;
  Script whole(options);
  whole.Feed(10, wins);
  Controller restored(options);
  restored.Restore(whole.controller.Save());
  Signals broken = wins;
  broken.finite = false;
  EXPECT_EQ(restored.Observe(11, broken).size(), whole.controller.Observe(11, broken).size());
  EXPECT_EQ(restored.Save(), whole.controller.Save());
}

TEST(State, RestoreOfAnActingRunIntoWatchDropsItsControls) {
  Script script(Quick());
  script.Feed(3, DiscriminatorWins());
  Controller watching(Watching(Quick()));
  watching.Restore(script.controller.Save());
  EXPECT_EQ(watching.controls(), Controls{});
  EXPECT_EQ(watching.verdict(), Verdict::kDiscriminatorAhead);
}

TEST(State, AStateOfVersion3IsReadWithTheNewFieldsNeutral) {
  Script script(Quick());
  script.Feed(3, DiscriminatorWins());
  nlohmann::json old = script.controller.Save();
  old["version"] = 3;
  old["controls"].erase("lr_scale_g");
  old.erase("patience");
  old.erase("taken_back");
  Controller restored(Quick());
  restored.Restore(old);
  EXPECT_EQ(restored.Save(), script.controller.Save());
}

TEST(State, BrokenStateIsRefusedAndChangesNothing) {
  Script script(Quick());
  script.Feed(3, DiscriminatorWins());
  const nlohmann::json before = script.controller.Save();
  for (const char* field : {"version", "averages", "findings", "verdict", "controls", "observed", "acted"}) {
    nlohmann::json broken = before;
    broken.erase(field);
    EXPECT_THROW(script.controller.Restore(broken), std::runtime_error) << field;
  }
  nlohmann::json impossible = before;
  impossible["controls"]["d_every"] = 0;
  EXPECT_THROW(script.controller.Restore(impossible), std::runtime_error);
  impossible = before;
  impossible["controls"]["lr_scale_d"] = 2 * kMostLrScale;
  EXPECT_THROW(script.controller.Restore(impossible), std::runtime_error);
  for (const auto& [field, value] :
       {std::pair("base_scale_g", 2 * kMostLrScale), {"base_scale_d", 0.0}, {"max_beta1", 1.5}}) {
    impossible = before;
    impossible["controls"][field] = value;
    EXPECT_THROW(script.controller.Restore(impossible), std::runtime_error) << field;
  }
  EXPECT_EQ(script.controller.Save(), before);
}

}  // namespace
}  // namespace gan::balance
