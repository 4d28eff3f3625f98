#include "trainer/balance/actions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "storage/errors.h"

namespace gan::balance {
namespace {

using Ladder = std::function<std::optional<Action>(const Controls&, const BalanceOptions&)>;

const std::string kBothRates = "g-rate,d-rate,d-every,d-steps,freeze-g";

// Climbs at most `rungs` and returns the names of the actions.
std::vector<std::string> Climb(const Ladder& ladder, Controls& controls, int rungs = 50,
                               const std::string& action_groups = kBothRates, double d_pace = 64) {
  std::vector<std::string> names;
  BalanceOptions options;
  options.d_pace = d_pace;
  options.min_lr_d = 0;
  options.action_groups = ParseActionGroups(action_groups);
  for (int i = 0; i < rungs; ++i) {
    const auto action = ladder(controls, options);
    if (!action) break;
    EXPECT_NE(action->controls, controls) << "an action must change something";
    EXPECT_NE(std::find(std::begin(kActions), std::end(kActions), action->name), std::end(kActions));
    controls = action->controls;
    names.emplace_back(action->name);
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(Actions, DiscriminatorIsHeldBackMildestFirstWithinBounds) {
  Controls controls;
  EXPECT_EQ(Climb(HoldDiscriminatorBack, controls),
            (Names{"lower_d_rate", "lower_d_rate", "lower_d_rate", "d_less_often", "d_less_often", "d_less_often"}));
  EXPECT_EQ(controls, (Controls{.lr_scale_d = 0.125, .d_every = 4}));
}

TEST(Actions, NothingMakesDMuchSlowerThanG) {
  Controls controls;
  EXPECT_EQ(Climb(HoldDiscriminatorBack, controls, 50, kBothRates, 1), (Names{"lower_d_rate", "lower_d_rate"}));
  EXPECT_EQ(controls, (Controls{.lr_scale_d = 0.25}));
  controls = {.lr_scale_g = 4};
  EXPECT_EQ(Climb(HoldDiscriminatorBack, controls, 50, kBothRates, 2), Names{"lower_d_rate"});
  BalanceOptions options;
  options.d_pace = 0.5;
  EXPECT_DOUBLE_EQ(HighestGeneratorScale({}, options), 2) << "of four times, so that D keeps a quarter of G's pace";
}

TEST(Actions, RatesStayWhereNetworksLearnWhateverWasConfigured) {
  BalanceOptions options;
  options.action_groups = ParseActionGroups(kBothRates);
  options.d_pace = 64;
  options.lr_g = 5e-4;
  options.lr_d = 1.5e-4;
  EXPECT_DOUBLE_EQ(HighestGeneratorScale({}, options), options.max_lr_g / options.lr_g) << "not up to four times";
  const auto slower = HoldDiscriminatorBack({}, options);
  EXPECT_EQ(slower->name, "lower_d_rate");
  EXPECT_DOUBLE_EQ(slower->controls.lr_scale_d, options.min_lr_d / options.lr_d) << "not down to half the rate";
}

TEST(Actions, ADThatStaysPerfectBeginsAnewWhenNothingElseIsLeft) {
  Controls controls;
  EXPECT_EQ(Climb(HoldDiscriminatorBack, controls, 3, "restart-d"), (Names{"restart_d", "restart_d", "restart_d"}));
  EXPECT_EQ(controls.d_restarts, 3U);
  EXPECT_EQ(Climb(Undo, controls), Names{});
}

TEST(Actions, EachWayOnAfterACollapseIsAnother) {
  const BalanceOptions options;
  const auto first = CollapseResponse({}, options, 0);
  EXPECT_EQ(first->name, "more_augmentation");
  EXPECT_EQ(first->controls.least_augment, options.max_augment);
  const auto second = CollapseResponse(first->controls, options, 1);
  EXPECT_EQ(second->effect, "both rates halved");
  EXPECT_EQ(second->controls.lr_scale_d, 0.5);
  EXPECT_EQ(second->controls.lr_scale_g, 0.5);
  EXPECT_EQ(CollapseResponse(second->controls, options, 2)->name, "restart_d");
}

TEST(Actions, UndoGoesBackOneRungAtATimeAndStopsAtNeutral) {
  Controls controls{.lr_scale_d = 0.125, .d_every = 4};
  EXPECT_EQ(Climb(Undo, controls),
            (Names{"d_more_often", "d_more_often", "d_more_often", "raise_d_rate", "raise_d_rate", "raise_d_rate"}));
  EXPECT_EQ(controls, Controls{});
}

TEST(Actions, UndoNeverOvershootsNeutral) {
  Controls controls{.lr_scale_d = 0.7};
  EXPECT_EQ(Climb(Undo, controls), Names{"raise_d_rate"});
  EXPECT_EQ(controls, Controls{});
}

TEST(Actions, HelpFirstUndoesWhatWasDoneAgainstD) {
  Controls controls{.lr_scale_d = 0.5, .d_every = 2};
  EXPECT_EQ(Climb(HelpDiscriminator, controls),
            (Names{"d_more_often", "raise_d_rate", "raise_d_rate", "raise_d_rate", "more_d_steps", "more_d_steps",
                   "more_d_steps", "lower_g_rate", "lower_g_rate", "lower_g_rate", "freeze_g"}));
  EXPECT_EQ(controls, (Controls{.lr_scale_d = 4, .lr_scale_g = 0.125, .d_steps = 4, .freeze_g_steps = 20}));
  EXPECT_EQ(Climb(Undo, controls), (Names{"unfreeze_g", "raise_g_rate", "raise_g_rate", "raise_g_rate", "fewer_d_steps",
                                          "fewer_d_steps", "fewer_d_steps", "lower_d_rate", "lower_d_rate"}));
  EXPECT_EQ(controls, Controls{});
}

TEST(Actions, HoldingBackFirstUndoesTheHelp) {
  Controls controls{.lr_scale_d = 1.5, .lr_scale_g = 0.5, .d_steps = 3, .freeze_g_steps = 7};
  EXPECT_EQ(Climb(HoldDiscriminatorBack, controls, 5),
            (Names{"unfreeze_g", "raise_g_rate", "fewer_d_steps", "fewer_d_steps", "lower_d_rate"}));
  EXPECT_EQ(controls, Controls{}) << "D's rate goes back to the configured one before it goes below";
  EXPECT_EQ(Climb(HoldDiscriminatorBack, controls, 1), Names{"lower_d_rate"});
  EXPECT_EQ(controls, (Controls{.lr_scale_d = 0.5}));
}

TEST(Actions, RemediesOnRequestTakeTheirPlacesOnTheLadder) {
  Controls controls;
  EXPECT_EQ(Climb(HoldDiscriminatorBack, controls, 9, "all"),
            (Names{"lower_d_rate", "lower_d_rate", "lower_d_rate", "r1_on", "d_less_often", "d_less_often",
                   "d_less_often", "wgan_gp_on", "feature_matching_on"}));
  EXPECT_EQ(Climb(Undo, controls, 4), (Names{"feature_matching_off", "wgan_gp_off", "d_more_often", "d_more_often"}));
}

TEST(Actions, NothingIsDoneThatIsNotAllowed) {
  Controls controls;
  EXPECT_EQ(Climb(HoldDiscriminatorBack, controls, 50, "r1"), Names{"r1_on"});
  EXPECT_EQ(Climb(HelpDiscriminator, controls, 50, "freeze-g"), (Names{"r1_off", "freeze_g"}));
  Controls none;
  EXPECT_EQ(Climb(HoldDiscriminatorBack, none, 50, ""), Names{});
  EXPECT_EQ(Climb(HelpDiscriminator, none, 50, ""), Names{});
}

TEST(Actions, WideningHappensOnceAndIsNotUndone) {
  Controls controls;
  EXPECT_EQ(Climb(HelpDiscriminator, controls, 50, "widen-d"), Names{"widen_d"});
  EXPECT_EQ(controls.d_width, 2U);
  EXPECT_EQ(Climb(Undo, controls), Names{});
}

TEST(Actions, UnknownRemediesAreRefusedByName) {
  EXPECT_THROW(ParseActionGroups("d-rate,pray"), UsageError);
  EXPECT_EQ(ParseActionGroups("all").size(), std::size(kActionGroups));
}

TEST(Actions, FloorOfTheRateIsReachedNotPassed) {
  BalanceOptions options;
  options.action_groups = ParseActionGroups("d-rate,d-every");
  options.d_pace = 16;
  options.lr_factor = 0.3;
  options.min_lr_scale = 0.2;
  options.min_lr_d = 0;
  const auto first = HoldDiscriminatorBack({}, options);
  const auto second = HoldDiscriminatorBack(first->controls, options);
  EXPECT_DOUBLE_EQ(second->controls.lr_scale_d, 0.2);
  EXPECT_EQ(HoldDiscriminatorBack(second->controls, options)->name, "d_less_often");
}

TEST(Actions, CeilingOfDsRateIsReachedNotPassed) {
  BalanceOptions options;
  options.lr_factor = 0.3;
  options.max_lr_scale_d = 5;
  const auto first = HelpDiscriminator({}, options);
  EXPECT_DOUBLE_EQ(HelpDiscriminator(first->controls, options)->controls.lr_scale_d, 5);
  EXPECT_EQ(HelpDiscriminator({.lr_scale_d = 5}, options)->name, "more_d_steps");
}

TEST(Actions, LaddersCanBeSwitchedOff) {
  BalanceOptions options;
  options.action_groups = ParseActionGroups(kBothRates);
  options.min_lr_scale = options.max_lr_scale_d = options.max_lr_scale_g = 1;
  options.max_d_every = options.max_d_steps = 1;
  options.freeze_g_for = 0;
  EXPECT_FALSE(HoldDiscriminatorBack({}, options));
  EXPECT_FALSE(HelpDiscriminator({}, options));
}

TEST(Actions, EffectIsInWords) {
  BalanceOptions roomy;
  roomy.d_pace = 16;
  EXPECT_EQ(HoldDiscriminatorBack({}, {})->effect, "D's rate x1 -> x0.5");
  EXPECT_EQ(HoldDiscriminatorBack({.lr_scale_d = 0.125}, roomy)->effect, "steps per update of D 1 -> 2");
  EXPECT_EQ(HelpDiscriminator({}, {})->effect, "D's rate x1 -> x2");
  EXPECT_EQ(HelpDiscriminator({.lr_scale_d = 4}, {})->effect, "updates of D per step 1 -> 2");
  EXPECT_EQ(HelpDiscriminator({.lr_scale_d = 4, .d_steps = 4}, {})->effect, "G's rate x1 -> x0.5");
  EXPECT_EQ(HelpDiscriminator({.lr_scale_d = 4, .lr_scale_g = 0.125, .d_steps = 4}, {})->effect,
            "G frozen for 20 steps");
}

}  // namespace
}  // namespace gan::balance
