#include "trainer/run/objective_flags.h"

#include <array>
#include <string_view>

#include "storage/errors.h"
#include "trainer/loss/adversarial.h"
#include "trainer/quality/evaluator.h"

namespace gan::run {

namespace {

using enum OnResume;

// The names and descriptions are in the rows of the losses, next to their formulas.
const auto& Losses() {
  static const auto table = [] {
    std::array<cli::Choice<loss::Kind>, loss::kAdversarialLosses.size()> rows;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const loss::AdversarialLoss& row = *loss::kAdversarialLosses[i];
      rows[i] = {row.kind, row.name, row.description};
    }
    return rows;
  }();
  return table;
}

constexpr cli::Choice<model::Norm> kNorms[] = {{model::Norm::kBatch, "batch", ""},
                                               {model::Norm::kLayer, "layer", ""},
                                               {model::Norm::kInstance, "instance", ""},
                                               {model::Norm::kNone, "none", ""}};
constexpr cli::Choice<step::Augmentation> kAugmentations[] = {
    {step::Augmentation::kNone, "none", "no augmentation, unless the balance adds it"},
    {step::Augmentation::kDiff, "diff", "colour, translation and cutout on every image (DiffAugment)"},
    {step::Augmentation::kAda, "ada", "the same with a probability that adapts to overfitting (ADA)"}};
// The measures that quality::IsMeasure accepts, and none.
constexpr cli::Choice<std::string_view> kMeasures[] = {
    cli::Word("swd", "sliced Wasserstein distance"),
    cli::Word("frechet", "Frechet distance on features of a random network"),
    cli::Word("kernel", "kernel distance on the same features"),
    cli::Word("density", "density of the generated images among the real ones"),
    cli::Word("coverage", "fraction of the real images that have a generated neighbour"),
    cli::Word("fid", "Frechet Inception distance, with --inception"),
    cli::Word("kid", "kernel Inception distance, with --inception"),
    cli::Word("none", "keep no best checkpoint")};
constexpr cli::Choice<std::string_view> kStops[] = {
    cli::Word("length", "at the length that is set above"),
    cli::Word("best", "also when the measure of --keep-best has not improved for --patience images")};

}  // namespace

// All of them are fixed on resuming, because they change what is optimised.
void AddObjectiveFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Losses and regularisation");
  const auto weight = [&](const std::string& name, double& value, const std::string& help) {
    flags.Add(kFixed, name, value, help)->check(CLI::NonNegativeNumber);
  };
  loss::LossOptions& loss = o.gan.loss;
  flags.AddChoice(kFixed, "--loss", loss.kind, Losses(), "Loss of both networks.");
  weight("--r1", loss.r1, "Weight gamma of the R1 gradient penalty on real images. 0 disables it.");
  weight("--r2", loss.r2, "Weight gamma of the R2 gradient penalty on generated images. 0 disables it.");
  flags.AddChoice(kFixed, "--d-norm", o.gan.network.d_norm, kNorms, "Normalisation layers of D.");
  flags.AddSwitch(kFixed, "--spectral-norm", o.gan.network.spectral_norm, "Apply spectral normalisation to D.");
  flags.AddChoice(kFixed, "--augment", o.gan.augmentation, kAugmentations,
                  "Differentiable augmentation of the images that D sees.");
  flags.RareGroup("losses");
  flags
      .Add(kFixed, "--r1-every", loss.penalty_every,
           "Apply R1 and R2 in every N-th update of D only, with N times the weight.")
      ->check(CLI::Range(1, 1000));
  weight("--gradient-penalty", loss.gradient_penalty, "Weight lambda of the gradient penalty of --loss wgan-gp.");
  weight("--feature-matching", loss.feature_matching,
         "Weight of feature matching in G's loss: the distance of mean features in D's layers.");
  flags
      .Add(kFixed, "--perceptual", loss.perceptual_file,
           "TorchScript network for a perceptual loss: the distance of mean features in its layers.")
      ->type_name("FILE");
  weight("--perceptual-weight", loss.perceptual, "Weight of the perceptual loss in G's loss.");
}

// All of them may change on resuming, because they affect only what is measured and kept.
void AddQualityFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Image quality, measured against the held-out images");
  flags.AddNumberOrAuto(kMayChange, "--quality-every", o.quality_every,
                        "Steps between two measurements. 0 never measures. auto, when at least 32 images are held out: "
                        "once per 10,000 images (200,000 on GPUs), but at least 100 steps apart.");
  flags.AddChoice(kMayChange, "--stop-when", o.stop_when, kStops, "When the run ends.");
  flags.RareGroup("image quality");
  flags.Add(kMayChange, "--patience", o.patience,
            "Images without an improvement after which --stop-when best ends the run. 0: as many as it took to reach "
            "the best, but at least 50,000.");
  flags
      .Add(kMayChange, "--quality-images", o.quality_images,
           "Number of generated and of real images per measurement, at most as many as are held out.")
      ->check(CLI::Range(12, 100000));
  flags
      .Add(kMayChange, "--inception", o.inception,
           "Inception network as TorchScript (inception-2015-12-05.pt). It adds the measures fid and kid.")
      ->type_name("FILE");
  flags.AddChoice(kMayChange, "--keep-best", o.keep_best, kMeasures, "Measure whose best checkpoint is never removed.");
}

// Rejects combinations of flags that would have no effect or no meaning.
void ValidateObjective(const TrainOptions& options) {
  const loss::LossOptions& loss = options.gan.loss;
  if (loss.perceptual > 0 && loss.perceptual_file.empty()) {
    throw UsageError("--perceptual-weight needs --perceptual FILE, a TorchScript network");
  }
  if (!loss.perceptual_file.empty() && loss.perceptual <= 0) {
    throw UsageError("--perceptual FILE needs --perceptual-weight above 0");
  }
  const std::string& best = options.keep_best;
  if (best != "none" && !quality::IsMeasure(best)) {
    throw UsageError("--keep-best " + best + ": must be one of " + cli::Names(kMeasures));
  }
  if ((best == "fid" || best == "kid") && options.inception.empty()) {
    throw UsageError("--keep-best " + best + " needs --inception FILE, a TorchScript Inception");
  }
  if (options.stop_when == "best" && best == "none") throw UsageError("--stop-when best: needs a --keep-best");
  if (options.stop_when == "best" && options.quality_every == 0) {
    throw UsageError("--stop-when best: needs --quality-every N");
  }
  // A patience that comes from the resumed run is kept for the next --stop-when best.
  if (options.stop_when != "best" && options.given.contains("patience")) {
    throw UsageError("--patience: needs --stop-when best");
  }
  if (options.gan.augmentation == step::Augmentation::kAda && loss.kind == loss::Kind::kWganGp) {
    throw UsageError("--augment ada follows the signs of D's logits, which --loss wgan-gp leaves without meaning");
  }
}

// Older checkpoints lack the newer options, which then have the values that were fixed at that time.
model::NetworkOptions NetworkFromJson(const nlohmann::json& options) {
  model::NetworkOptions network;
  options.at("resolution").get_to(network.resolution);
  options.at("features").get_to(network.features);
  options.at("noise_dim").get_to(network.noise_dim);
  network.d_features = options.value("features_d", std::int64_t{0});
  network.d_norm = cli::ValueOf(options.value("d_norm", "batch"), kNorms);
  network.spectral_norm = options.value("spectral_norm", false);
  network.d_width = options.value("d_width", std::int64_t{1});
  return network;
}

}  // namespace gan::run
