#include "trainer/run/preset.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <optional>
#include <utility>

#include "cli/progress.h"
#include "storage/counted.h"
#include "trainer/balance/pace.h"
#include "trainer/run/batches.h"
#include "trainer/run/flags.h"
#include "trainer/run/flags_of_run.h"

namespace gan::run {

namespace {

using nlohmann::json;

// The numbers in the rules. docs/choosing.md gives the reasons.
constexpr double kUsualMinutes = 30;  // of a run without --time
constexpr double kEpochs = 40;        // number of epochs that a run should have ...
constexpr std::uint64_t kFewestImages = 100'000, kMostImages = 2'000'000;  // ... within these limits
constexpr std::uint64_t kImagesPerUpdate = 32, kLeastBatch = 8;            // on CPUs
constexpr std::uint64_t kGpuBatch = 64, kMostImagesPerUpdate = 1024;       // on GPUs
constexpr std::size_t kMostClasses = 100;
constexpr std::uint64_t kImagesOfAClass = 50;    // on average
constexpr std::uint64_t kSmallDataSet = 10'000;  // images that D can learn by heart
constexpr std::int64_t kWideDiscriminator = 12;  // features from which D needs a penalty when there is no balance
constexpr double kR1 = 0.1;
// with fewer, two samples of real images differ as much as early generated images do
constexpr std::uint64_t kFewestHeldOut = 32;
constexpr std::uint64_t kImagesOfAMeasure = 10'000, kImagesOfAMeasureOnGpus = 200'000;
constexpr std::uint64_t kLeastStepsOfAMeasure = 100;

// Widths of the networks, the widest first: the images of 64 px that one core trains in a second, and the memory per
// rank. Each doubling of the side makes an image kSideCost times as expensive.
struct Width {
  std::int64_t features;
  double images_per_core_second;
  double gibibytes;
};
constexpr Width kWidths[] = {{64, 14, 2.5}, {32, 65, 1.2}, {16, 220, 0.8}, {8, 400, 0.6}};
constexpr double kSideCost = 1.3;
constexpr double kGiB = 1024.0 * 1024 * 1024;

struct Choice {
  json value;
  std::string why;
};

std::string Images(double number) { return storage::Counted(static_cast<std::uint64_t>(number), "image"); }

bool BalanceMay(const TrainOptions& options, balance::ActionGroup group) {
  return options.balance.mode == balance::Mode::kAct && ResolveBalance(options).IsEnabled(group);
}

std::optional<Choice> Conditional(const TrainOptions& /*options*/, const PresetFacts& facts) {
  if (facts.class_images.empty()) return Choice{false, "the images have no labels"};
  std::uint64_t images = 0, classes = 0;
  for (const std::uint64_t count : facts.class_images) {
    images += count;
    classes += count > 0 ? 1 : 0;
  }
  if (classes < 2) return Choice{false, "all images have the same label"};
  const std::string found = storage::Counted(images, "image") + " in " + std::to_string(classes) + " classes";
  if (classes > kMostClasses) return Choice{false, found + ", and few batches would have several of one"};
  if (images < kImagesOfAClass * classes) {
    return Choice{false, found + ", fewer than " + std::to_string(kImagesOfAClass) + " each"};
  }
  return Choice{true, found + ": no class is left out, and each can be asked for"};
}

std::optional<Choice> Resolution(const TrainOptions& /*options*/, const PresetFacts& facts) {
  const std::string place = facts.on_gpu ? "on GPUs" : "on CPUs";
  // Only sides that divide the side of the records, because training averages blocks of pixels and does not resize.
  for (const std::uint32_t side : {128U, 64U}) {
    if ((side > 64 && !facts.on_gpu) || facts.side % side != 0) continue;
    return Choice{side, std::to_string(facts.side) + " px are stored, and " + std::to_string(side) +
                            " px are learnt in reasonable time " + place};
  }
  return std::nullopt;  // the run will say that the shards fit no resolution
}

std::optional<Choice> Batch(const TrainOptions& options, const PresetFacts& facts) {
  if (options.given.contains("global_batch")) return std::nullopt;
  const auto ranks = static_cast<std::uint64_t>(facts.ranks);
  const std::uint64_t batch = facts.on_gpu ? std::clamp(kMostImagesPerUpdate / ranks, kLeastBatch, kGpuBatch)
                                           : std::max(kImagesPerUpdate / ranks, kLeastBatch);
  return Choice{
      batch, "updates of " + storage::Counted(batch * ranks, "image") + " on " + storage::Counted(facts.ranks, "rank")};
}

// The number of images to train on: as given, or as recommended for the size of the data set.
double WantedImages(const TrainOptions& options, const PresetFacts& facts) {
  if (options.images > 0 || options.epochs > 0) return TotalImages(options, facts.images);
  if (options.steps > 0) {
    const BatchPlan plan = PlanBatches(options, facts.ranks);
    return static_cast<double>(options.steps * plan.batch * plan.micro_batches) * facts.ranks;
  }
  return std::clamp<double>(kEpochs * static_cast<double>(facts.images), kFewestImages, kMostImages);
}

// The widest networks that can be trained on the wanted number of images within the given time and memory.
std::optional<Choice> Features(const TrainOptions& options, const PresetFacts& facts) {
  if (facts.on_gpu) return Choice{kWidths[0].features, "a GPU trains the widest networks fast enough"};
  const double seconds = facts.seconds > 0 ? facts.seconds : kUsualMinutes * 60;
  const double octaves = std::log2(static_cast<double>(options.gan.network.resolution) / 64);
  const double wanted = WantedImages(options, facts);
  const auto shown = [&](const Width& width) {
    return facts.cores * seconds * width.images_per_core_second / std::pow(kSideCost, octaves);
  };
  // The table begins with the widest networks, so the first row that fits is the widest.
  const auto* fits = std::find_if(std::begin(kWidths), std::end(kWidths), [&](const Width& width) {
    return shown(width) >= wanted && width.gibibytes * kGiB <= facts.memory_bytes;
  });
  // If no width fits, the narrowest one is nearest.
  const Width& width = fits == std::end(kWidths) ? *std::prev(std::end(kWidths)) : *fits;
  return Choice{width.features, "of the " + Images(wanted) + " that are wanted, " +
                                    storage::Counted(facts.cores, "core") + " can show networks of this width about " +
                                    std::to_string(static_cast<std::uint64_t>(shown(width))) + " in " +
                                    cli::FormatDuration(std::chrono::duration<double>(seconds))};
}

// With the balance, the rates are those of the paper, because the balance adjusts them itself.
Choice Rate(const TrainOptions& options, double rate_at_8) {
  const balance::BalanceOptions resolved = ResolveBalance(options);
  const double rate = balance::TargetRate(rate_at_8, balance::kPaperRate, resolved);
  const std::string width = "for networks of " + std::to_string(options.gan.network.features) + " features";
  if (!BalanceMay(options, balance::ActionGroup::kPace)) return {rate, width};
  return {balance::kPaperRate, "the rate at the start, which the balance changes during training, " + width};
}

std::optional<Choice> RateOfG(const TrainOptions& options, const PresetFacts& /*facts*/) {
  return Rate(options, balance::BalanceOptions().pace_lr_g);
}

std::optional<Choice> RateOfD(const TrainOptions& options, const PresetFacts& /*facts*/) {
  return Rate(options, balance::BalanceOptions().pace_lr_d);
}

std::optional<Choice> Penalty(const TrainOptions& options, const PresetFacts& /*facts*/) {
  if (options.balance.mode == balance::Mode::kAct) {
    return Choice{0.0, "the balance holds D back where it must, and a penalty would cost time in every step"};
  }
  if (options.gan.loss.kind == loss::Kind::kWganGp) return Choice{0.0, "--loss wgan-gp has its own"};
  const bool wide = options.gan.network.DiscriminatorFeatures() >= kWideDiscriminator;
  return Choice{wide ? kR1 : 0.0, wide ? "without the balance a D of this width runs away" : "a narrow D needs none"};
}

std::optional<Choice> Augment(const TrainOptions& options, const PresetFacts& facts) {
  if (BalanceMay(options, balance::ActionGroup::kAugment)) {
    return Choice{"none", "the balance augments as much as D's AUC asks for"};
  }
  const std::string found = storage::Counted(facts.images, "image");
  if (facts.images < kSmallDataSet) return Choice{"diff", "D learns " + found + " by heart"};
  return Choice{"none", found + " are too many to learn by heart"};
}

std::optional<Choice> Average(const TrainOptions& /*options*/, const PresetFacts& /*facts*/) {
  return Choice{step::GanOptions().ema_half_life_images, "smoother images; shorter at the beginning by itself"};
}

std::optional<Choice> Images(const TrainOptions& options, const PresetFacts& facts) {
  if (HasLength(options)) return std::nullopt;
  const double images = WantedImages(options, facts);
  char epochs[32];
  std::snprintf(epochs, sizeof epochs, "%.3g", images / static_cast<double>(facts.images));
  return Choice{static_cast<std::uint64_t>(images),
                std::string(epochs) + " epochs of " + storage::Counted(facts.images, "image")};
}

// The rules of --preset auto. Each rule sees the values of the earlier ones.
struct Rule {
  const char* option;
  std::optional<Choice> (*choose)(const TrainOptions&, const PresetFacts&);
};
// Each rule comes after those whose values it needs: the width follows from resolution and batch, the rates from the
// width.
constexpr Rule kAuto[] = {{"conditional", Conditional},
                          {"resolution", Resolution},
                          {"batch", Batch},
                          {"features", Features},
                          {"lr_g", RateOfG},
                          {"lr_d", RateOfD},
                          {"r1", Penalty},
                          {"augment", Augment},
                          {"ema", Average},
                          {"images", Images}};

// --preset paper: the DCGAN of Radford, Metz and Chintala (2016) at 128 px with smoothed labels.
std::vector<Chosen> Paper() {
  const std::string paper = "as in the DCGAN paper", recipe = "the recipe at 128 px", none = "not part of the recipe";
  return {{"resolution", 128, recipe},
          {"features", 64, recipe},
          {"noise_dim", 100, paper},
          {"loss", "bce", paper},
          {"real_label", 0.9, "smoothed against a D that is too certain"},
          {"fake_label", 0.1, "smoothed against a D that is too certain"},
          {"lr_g", balance::kPaperRate, paper},
          {"lr_d", balance::kPaperRate, paper},
          {"beta1", 0.5, paper},
          {"beta2", 0.999, paper},
          {"d_steps", 1, "the two networks take turns"},
          {"d_norm", "batch", paper},
          {"spectral_norm", false, none},
          {"r1", 0.0, none},
          {"r2", 0.0, none},
          {"feature_matching", 0.0, none},
          {"augment", "none", none},
          {"flip", false, none},
          {"conditional", false, none},
          {"clip_norm", 0.0, none},
          {"lr_decay", "none", none},
          {"warmup_steps", 0, none},
          {"ema", 0, none},
          {"balance", "off", none}};
}

bool IsGiven(const TrainOptions& options, const std::string& name) { return options.given.contains(name); }

}  // namespace

std::vector<Chosen> Choose(const TrainOptions& options, const PresetFacts& facts) {
  std::vector<Chosen> chosen;
  if (options.preset == Preset::kPaper) {
    for (Chosen& one : Paper()) {
      if (!IsGiven(options, one.name)) chosen.push_back(std::move(one));
    }
  }
  if (options.preset != Preset::kAuto) return chosen;
  TrainOptions so_far = options;
  for (const Rule& rule : kAuto) {
    if (IsGiven(options, rule.option)) continue;
    std::optional<Choice> choice = rule.choose(so_far, facts);
    if (!choice) continue;
    chosen.push_back({rule.option, std::move(choice->value), std::move(choice->why)});
    Apply({chosen.back()}, so_far);
  }
  return chosen;
}

Chosen QualityEvery(std::uint64_t held_out, std::uint64_t images_per_step, bool on_gpu) {
  const std::string held_out_images = std::to_string(held_out) + " images are held out";
  if (held_out < kFewestHeldOut) {
    return {"quality_every", 0,
            "only " + held_out_images + ", and quality is measured against at least " + std::to_string(kFewestHeldOut)};
  }
  const std::uint64_t images = on_gpu ? kImagesOfAMeasureOnGpus : kImagesOfAMeasure;
  const std::uint64_t every = std::max(images / images_per_step, kLeastStepsOfAMeasure);
  return {"quality_every", every,
          held_out_images + ", and this is one measurement per " + std::to_string(every * images_per_step) + " images"};
}

// The flags give access to each option by its name.
void Apply(const std::vector<Chosen>& chosen, TrainOptions& options) {
  CLI::App app;
  Flags flags(app);
  AddTrainFlags(flags, options);
  for (const Chosen& one : chosen) {
    if (IsGiven(options, one.name)) continue;
    flags.Set(one.name, one.value);
    options.chosen.push_back(one);
  }
}

}  // namespace gan::run
