// The rules of --preset: facts in, choice out.
#include "trainer/run/preset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/trainer/run/parsed_flags.h"
#include "trainer/run/flags_of_run.h"

namespace gan::run {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::map<std::string, Chosen> ByName(const std::vector<Chosen>& chosen) {
  std::map<std::string, Chosen> by_name;
  for (const Chosen& one : chosen) by_name[one.name] = one;
  return by_name;
}

// Two cores, 64 GiB.
PresetFacts Facts(std::uint64_t images, double minutes = 0) {
  PresetFacts facts;
  facts.images = images;
  facts.side = 128;
  facts.ranks = 2;
  facts.cores = 2;
  facts.memory_bytes = 32.0 * 1024 * 1024 * 1024;
  facts.seconds = minutes * 60;
  return facts;
}

json ChosenFor(const PresetFacts& facts, const std::string& name, std::vector<std::string> flags = {}) {
  flags.insert(flags.begin(), {"--preset", "auto"});
  const auto chosen = ByName(Choose(Parsed(flags), facts));
  return chosen.contains(name) ? chosen.at(name).value : json();
}

TEST(PresetAuto, EveryChoiceHasAReasonAndIsAccepted) {
  const TrainOptions asked = Parsed({"--preset", "auto"});
  const std::vector<Chosen> chosen = Choose(asked, Facts(3592));
  std::vector<std::string> names;
  for (const Chosen& one : chosen) {
    EXPECT_FALSE(one.why.empty()) << one.name;
    names.push_back(one.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"conditional", "resolution", "batch", "features", "lr_g", "lr_d", "r1",
                                             "augment", "ema", "images"}));
  TrainOptions applied = asked;
  Apply(chosen, applied);
  Validate(applied, 2);
  const json now = ToJson(applied);
  for (const Chosen& one : chosen) EXPECT_EQ(now.at(one.name), one.value) << one.name;
  EXPECT_EQ(applied.chosen.size(), chosen.size());
}

TEST(PresetAuto, NothingIsChosenWithoutIt) { EXPECT_TRUE(Choose(Parsed({}), Facts(1000)).empty()); }

TEST(PresetAuto, WidthFollowsCoresTimeImagesAndMemory) {
  EXPECT_EQ(ChosenFor(Facts(926, 3), "features"), 8);
  EXPECT_EQ(ChosenFor(Facts(926, 10), "features"), 16);
  EXPECT_EQ(ChosenFor(Facts(3592, 10), "features"), 16);
  EXPECT_EQ(ChosenFor(Facts(3592), "features"), 32);  // half an hour
  EXPECT_EQ(ChosenFor(Facts(3592, 600), "features"), 64);
  EXPECT_EQ(ChosenFor(Facts(200'000, 60), "features"), 8);
  PresetFacts many = Facts(200'000, 60);
  many.cores = 16;
  EXPECT_EQ(ChosenFor(many, "features"), 32);
  PresetFacts little = Facts(3592, 600);
  little.memory_bytes = 1024.0 * 1024 * 1024;
  EXPECT_EQ(ChosenFor(little, "features"), 16);
  little.memory_bytes = 0;
  EXPECT_EQ(ChosenFor(little, "features"), 8);
  PresetFacts gpu = Facts(926, 1);
  gpu.on_gpu = true;
  EXPECT_EQ(ChosenFor(gpu, "features"), 64);
}

TEST(PresetAuto, AResolutionIsOneThatTheRecordsDivideInto) {
  PresetFacts facts = Facts(1000);
  const auto resolution = [&](std::uint32_t side, bool on_gpu) {
    facts.side = side;
    facts.on_gpu = on_gpu;
    return ChosenFor(facts, "resolution");
  };
  EXPECT_EQ(resolution(128, false), 64);
  EXPECT_EQ(resolution(64, false), 64);
  EXPECT_EQ(resolution(256, true), 128);
  EXPECT_EQ(resolution(64, true), 64);
  EXPECT_EQ(resolution(192, true), 64);
  EXPECT_EQ(resolution(96, false), json());  // opening the shards explains it
}

TEST(PresetAuto, AnUpdateHasAsManyImagesOnAnyNumberOfRanks) {
  for (const auto& [ranks, batch] : {std::pair{1, 32}, {2, 16}, {3, 10}, {4, 8}, {16, 8}}) {
    PresetFacts facts = Facts(5000);
    facts.ranks = ranks;
    EXPECT_EQ(ChosenFor(facts, "batch"), batch) << ranks;
  }
  for (const auto& [ranks, batch] : {std::pair{1, 64}, {8, 64}, {32, 32}, {1024, 8}}) {
    PresetFacts facts = Facts(5000);
    facts.ranks = ranks;
    facts.on_gpu = true;
    EXPECT_EQ(ChosenFor(facts, "batch"), batch) << ranks;
  }
  EXPECT_EQ(ChosenFor(Facts(5000), "batch", {"--global-batch", "48"}), json());
}

TEST(PresetAuto, LengthFollowsTheDataSetUnlessItIsGiven) {
  EXPECT_EQ(ChosenFor(Facts(926), "images"), 100'000);
  EXPECT_EQ(ChosenFor(Facts(3592), "images"), 143'680);
  EXPECT_EQ(ChosenFor(Facts(1'000'000), "images"), 2'000'000);
  for (const std::vector<std::string>& length :
       {std::vector<std::string>{"--steps", "9"}, {"--epochs", "2"}, {"--time", "10m"}, {"--images", "7"}}) {
    EXPECT_EQ(ChosenFor(Facts(926), "images", length), json()) << length[0];
  }
  // A length that is given is the wanted length.
  EXPECT_EQ(ChosenFor(Facts(926), "features", {"--steps", "100"}), 64);
  EXPECT_EQ(ChosenFor(Facts(926), "features", {"--epochs", "10000"}), 8);
}

TEST(PresetAuto, LabelsCountWhenEachClassHasImages) {
  PresetFacts facts = Facts(1000);
  const auto conditional = [&](const std::vector<std::uint64_t>& classes) {
    facts.class_images = classes;
    return ChosenFor(facts, "conditional");
  };
  EXPECT_EQ(conditional({}), false);
  EXPECT_EQ(conditional({1000}), false);
  EXPECT_EQ(conditional({1000, 0}), false);
  EXPECT_EQ(conditional({500, 500}), true);
  EXPECT_EQ(conditional({900, 60, 40}), true);
  EXPECT_EQ(conditional({60, 30}), false);
  EXPECT_EQ(conditional(std::vector<std::uint64_t>(101, 1000)), false);
}

TEST(PresetAuto, WithoutTheBalanceRatesPenaltyAndAugmentationDoItsWork) {
  const std::vector<std::string> off = {"--balance", "off"};
  EXPECT_EQ(ChosenFor(Facts(926, 3), "lr_g"), 2e-4);
  EXPECT_EQ(ChosenFor(Facts(926, 3), "lr_g", off), 8e-4);
  EXPECT_EQ(ChosenFor(Facts(926, 10), "lr_d", off), 4e-4);
  EXPECT_EQ(ChosenFor(Facts(926), "lr_d", off), 2e-4);
  EXPECT_EQ(ChosenFor(Facts(926, 3), "lr_g", {"--balance-actions", "none"}), 8e-4);
  EXPECT_EQ(ChosenFor(Facts(926, 10), "r1"), 0.0);
  EXPECT_EQ(ChosenFor(Facts(926, 10), "r1", off), 0.1);
  EXPECT_EQ(ChosenFor(Facts(926, 3), "r1", off), 0.0);
  EXPECT_EQ(ChosenFor(Facts(926, 10), "r1", {"--balance", "off", "--loss", "wgan-gp"}), 0.0);
  EXPECT_EQ(ChosenFor(Facts(926), "augment"), "none");
  EXPECT_EQ(ChosenFor(Facts(926), "augment", off), "diff");
  EXPECT_EQ(ChosenFor(Facts(926), "augment", {"--balance-actions", "pace"}), "diff");
  EXPECT_EQ(ChosenFor(Facts(200'000), "augment", off), "none");
}

TEST(PresetAuto, WhatIsGivenWins) {
  const TrainOptions asked = Parsed(
      {"--preset", "auto", "--features", "4", "--lr-g", "0.001", "--no-conditional", "--batch", "5", "--images", "10"});
  PresetFacts facts = Facts(1000);
  facts.class_images = {500, 500};
  std::vector<Chosen> chosen = Choose(asked, facts);
  for (const char* given : {"features", "lr_g", "conditional", "batch", "images"}) {
    EXPECT_FALSE(ByName(chosen).contains(given)) << given;
  }
  // The same on a rank that was started with other flags than rank 0: the difference is then reported.
  chosen.push_back({"features", 8, "as rank 0 has it"});
  TrainOptions applied = asked;
  Apply(chosen, applied);
  EXPECT_EQ(applied.gan.network.features, 4);
  EXPECT_EQ(applied.lr_g, 0.001);
}

TEST(QualityEvery, IsOncePerTenThousandImagesWhereEnoughAreHeldOut) {
  const auto every = [](std::uint64_t held_out, std::uint64_t images, bool on_gpu = false) {
    const Chosen chosen = QualityEvery(held_out, images, on_gpu);
    EXPECT_EQ(chosen.name, "quality_every");
    EXPECT_FALSE(chosen.why.empty());
    return chosen.value.get<std::uint64_t>();
  };
  EXPECT_EQ(every(31, 32), 0U);
  EXPECT_EQ(every(32, 32), 312U);
  EXPECT_EQ(every(500, 1), 10'000U);
  EXPECT_EQ(every(500, 1024), 100U);
  EXPECT_EQ(every(500, 64, true), 3125U);
}

TEST(QualityEvery, AutoIsAWordWhereverANumberCanBe) {
  EXPECT_EQ(ToJson(Parsed({})).at("quality_every"), "auto");
  EXPECT_EQ(ToJson(Parsed({"--quality-every", "0"})).at("quality_every"), 0);
  EXPECT_EQ(ToJson(Parsed({"--quality-every", "7"})).at("quality_every"), 7);
  const nlohmann::json of_number = {{"quality_every", 0}}, of_word = {{"quality_every", "auto"}};
  EXPECT_EQ(WithFlagsOf(Parsed({}), of_number).quality_every, 0U);
  EXPECT_EQ(WithFlagsOf(Parsed({"--quality-every", "auto"}), of_number).quality_every, TrainOptions::kAutomatic);
  EXPECT_EQ(WithFlagsOf(Parsed({}), of_word).quality_every, TrainOptions::kAutomatic);
  for (const char* wrong : {"-1", "1.5", "often", "99999999999999999999"}) {
    EXPECT_THROW(Parsed({"--quality-every", wrong}), CLI::ValidationError) << wrong;
  }
}

TEST(PresetPaper, IsTheRecipe) {
  TrainOptions options = Parsed({"--preset", "paper"});
  Apply(Choose(options, {}), options);
  Validate(options, 1);
  const json now = ToJson(options);
  for (const auto& [name, value] : std::map<std::string, json>{{"resolution", 128},
                                                               {"features", 64},
                                                               {"noise_dim", 100},
                                                               {"loss", "bce"},
                                                               {"real_label", 0.9},
                                                               {"fake_label", 0.1},
                                                               {"lr_g", 2e-4},
                                                               {"lr_d", 2e-4},
                                                               {"beta1", 0.5},
                                                               {"beta2", 0.999},
                                                               {"balance", "off"},
                                                               {"augment", "none"},
                                                               {"ema", 0},
                                                               {"r1", 0.0},
                                                               {"d_norm", "batch"},
                                                               {"lr_decay", "none"},
                                                               {"preset", "paper"},
                                                               {"conditional", false},
                                                               {"d_steps", 1}}) {
    EXPECT_EQ(now.at(name), value) << name;
  }
  // An option that the preset does not name has its default.
  json rest = ToJson(TrainOptions());
  for (const Chosen& one : options.chosen) rest[one.name] = one.value;
  rest["preset"] = "paper";
  rest["shards"] = "s";
  EXPECT_EQ(now, rest);
}

TEST(PresetPaper, WhatIsGivenWins) {
  TrainOptions options = Parsed({"--preset", "paper", "--features", "8", "--balance", "watch"});
  Apply(Choose(options, {}), options);
  EXPECT_EQ(options.gan.network.features, 8);
  EXPECT_EQ(options.balance.mode, balance::Mode::kWatch);
  EXPECT_EQ(options.gan.ema_half_life_images, 0U);
}

}  // namespace
}  // namespace gan::run
