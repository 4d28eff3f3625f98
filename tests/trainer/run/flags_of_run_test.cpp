// A resumed run keeps the flags that nobody gives, and ranks must be given the same ones.
#include "trainer/run/flags_of_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/errors.h"
#include "tests/trainer/run/parsed_flags.h"
#include "trainer/run/same_options.h"

namespace gan::run {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

json Saved() {
  return ToJson(Parsed({"--resolution", "64", "--features", "8", "--lr-g", "0.001", "--loss", "hinge", "--flip",
                        "--steps", "100", "--run", "there", "--keep", "7", "--balance-set", "d_pace=2"}));
}

TEST(FlagsOfRun, WhatIsNotGivenIsAsTheRunHadIt) {
  const TrainOptions options = WithFlagsOf(Parsed({"--run", "here"}), Saved());
  EXPECT_EQ(options.gan.network.resolution, 64);
  EXPECT_EQ(options.gan.network.features, 8);
  EXPECT_EQ(options.lr_g, 0.001);
  EXPECT_EQ(options.gan.loss.kind, loss::Kind::kHinge);
  EXPECT_TRUE(options.flip);
  EXPECT_EQ(options.steps, 100U);
  EXPECT_EQ(options.keep.last, 7U);
  EXPECT_EQ(options.balance_set, std::vector<std::string>{"d_pace=2"});
  EXPECT_THAT(options.from_run, IsSupersetOf({"--resolution 64", "--lr-g 0.001", "--loss hinge", "--flip true"}));
}

TEST(FlagsOfRun, WhatIsGivenCounts) {
  const TrainOptions options = WithFlagsOf(Parsed({"--resolution", "128", "--no-flip", "--images", "5000"}), Saved());
  EXPECT_EQ(options.gan.network.resolution, 128);
  EXPECT_FALSE(options.flip);
  EXPECT_EQ(options.images, 5000U);
  EXPECT_EQ(options.steps, 0U);  // the other kind of length
}

TEST(FlagsOfRun, WhereThingsLieIsOfThisStart) {
  const TrainOptions options = WithFlagsOf(Parsed({"--run", "here"}), Saved());
  EXPECT_EQ(options.run, "here");
  EXPECT_EQ(options.shards, "s");
}

TEST(FlagsOfRun, EveryFlagComesBackAsItWasTold) {
  const json saved = Saved();
  TrainOptions options = WithFlagsOf(Parsed({}), saved);
  json told = ToJson(options);
  for (const char* of_one_start : {"run", "shards"}) told[of_one_start] = saved.at(of_one_start);
  EXPECT_EQ(told, saved);
}

TEST(FlagsOfRun, TheBalanceKnowsTheValuesThatDecideItsTargetRates) {
  const auto resolved =
      ResolveBalance(Parsed({"--features", "16", "--beta1", "0.25", "--lr-g", "0.001", "--lr-d", "0.002"}));
  EXPECT_EQ(resolved.features, 16U);
  EXPECT_EQ(resolved.beta1, 0.25);
  EXPECT_EQ(resolved.lr_g, 0.001);
  EXPECT_EQ(resolved.lr_d, 0.002);
}

TEST(FlagsOfRun, ACountOfTheBalanceIsAWholeNumberThatFits) {
  EXPECT_EQ(ResolveBalance(Parsed({"--balance-set", "raise_steps=7"})).raise_steps, 7U);
  for (const char* wrong : {"raise_steps=-1", "raise_steps=2.5", "raise_steps=4294967296", "raise_steps=1e3"}) {
    EXPECT_THROW(ResolveBalance(Parsed({"--balance-set", wrong})), UsageError) << wrong;
  }
}

json SavedWithTime() {
  json saved = ToJson(Parsed({"--preset", "auto", "--time", "30m"}));
  saved["steps"] = 1234U;
  return saved;
}

TEST(FlagsOfRun, TheSameTimeMeansTheStepsThatTheRunHas) {
  for (const char* time : {"30m", "1800s", "0h30m"}) {
    EXPECT_EQ(WithFlagsOf(Parsed({"--time", time}), SavedWithTime()).steps, 1234U) << time;
  }
  const TrainOptions kept = WithFlagsOf(Parsed({}), SavedWithTime());
  EXPECT_EQ(kept.steps, 1234U);
  EXPECT_EQ(kept.time, "30m");
  EXPECT_EQ(kept.preset, Preset::kAuto);
}

TEST(FlagsOfRun, AnotherLengthReplacesTheTime) {
  EXPECT_EQ(WithFlagsOf(Parsed({"--time", "31m"}), SavedWithTime()).steps, 0U);  // to be measured
  EXPECT_EQ(WithFlagsOf(Parsed({"--time", "30m"}), Saved()).steps, 0U);
  const TrainOptions epochs = WithFlagsOf(Parsed({"--epochs", "3"}), SavedWithTime());
  EXPECT_EQ(epochs.steps, 0U);
  EXPECT_EQ(epochs.time, "");
}

TEST(FlagsOfRun, ATimeOfTheRunThatIsNoneIsNamed) {
  for (const json& bad : {json("soon"), json("-30m"), json(std::string(1000, '9') + "m")}) {
    json saved = SavedWithTime();
    saved["time"] = bad;
    EXPECT_THAT(
        [&] {
          WithFlagsOf(Parsed({"--time", "30m"}), saved);
        },
        ::testing::ThrowsMessage<UsageError>(HasSubstr("is not a time")))
        << bad;
    EXPECT_THAT([&] { Validate(WithFlagsOf(Parsed({}), saved), 1); },
                ::testing::ThrowsMessage<UsageError>(HasSubstr("is not a time")))
        << bad;
  }
  for (const auto& [time, steps] : {std::pair<json, json>(30, 1234), {nullptr, 1234}, {"30m", "many"}, {"30m", -1}}) {
    json saved = SavedWithTime();
    saved["time"] = time;
    saved["steps"] = steps;
    EXPECT_EQ(WithFlagsOf(Parsed({"--time", "30m"}), saved).steps, 0U) << time << " " << steps;
  }
}

TEST(Length, KindsThatContradictEachOtherAreRefused) {
  for (const std::vector<std::string>& flags : {std::vector<std::string>{"--time", "30m", "--steps", "3"},
                                                {"--images", "3", "--time", "30m"},
                                                {"--time", "30m", "--epochs", "3"},
                                                {"--time", "30"},
                                                {"--time", "half an hour"},
                                                {"--time", "0s"}}) {
    EXPECT_THROW(Parsed(flags), CLI::ParseError) << flags[0] << " " << flags[1];
  }
}

TEST(FlagsOfRun, AWordThatIsNotUnderstoodIsNamed) {
  json saved = Saved();
  saved["loss"] = "of another version";
  EXPECT_THAT([&] { WithFlagsOf(Parsed({}), saved); },
              ::testing::ThrowsMessage<UsageError>(HasSubstr("--loss of another version")));
  EXPECT_EQ(WithFlagsOf(Parsed({"--loss", "bce"}), saved).gan.loss.kind, loss::Kind::kBce);
}

TEST(FlagsOfRun, ADryRunIsOfOneStart) {
  json saved = Saved();
  saved["dry_run"] = saved["json"] = true;
  const TrainOptions options = WithFlagsOf(Parsed({}), saved);
  EXPECT_FALSE(options.dry_run);
  EXPECT_FALSE(options.json);
}

TEST(Validate, WhatARunBroughtAlongIsCheckedToo) {
  TrainOptions options = Parsed({});
  Validate(options, 1);
  options.metrics_port = "";
  EXPECT_THAT([&] { Validate(options, 1); }, ::testing::ThrowsMessage<UsageError>(HasSubstr("--metrics-port")));
  options.metrics_port = "off";
  options.json = true;
  EXPECT_THAT([&] { Validate(options, 1); }, ::testing::ThrowsMessage<UsageError>(HasSubstr("--dry-run")));
  options.json = false;
  options.measure = false;
  EXPECT_THAT([&] { Validate(options, 1); }, ::testing::ThrowsMessage<UsageError>(HasSubstr("--no-measure")));
}

TEST(SameOptions, ADifferenceIsNamedWithItsRank) {
  const json one = {{"seed", 1}, {"lr_g", 0.1}}, other = {{"seed", 2}, {"lr_g", 0.1}};
  EXPECT_EQ(DifferenceOfRanks({one, one, one}), "");
  EXPECT_EQ(DifferenceOfRanks({one, one, other}), "seed is 2 on rank 2 and 1 on rank 0");
  EXPECT_EQ(DifferenceOfRanks({one, {{"seed", 1}}}), "lr_g is none on rank 1 and 0.1 on rank 0");
}

TEST(SameOptions, WhatBelongsToAHostMayDiffer) {
  EXPECT_EQ(DifferenceOfRanks({{{"threads", 2}, {"shards", "/a"}}, {{"threads", 4}, {"shards", "/b"}}}), "");
}

}  // namespace
}  // namespace gan::run
