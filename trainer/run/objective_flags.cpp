#include "trainer/run/objective_flags.h"

#include "storage/errors.h"
#include "trainer/quality/evaluator.h"

namespace gan::run {

namespace {

using enum OnResume;

const Names<loss::Kind> kLosses = {{"bce", loss::Kind::kBce},
                                   {"hinge", loss::Kind::kHinge},
                                   {"wgan-gp", loss::Kind::kWganGp},
                                   {"rpgan", loss::Kind::kRpgan}};
const Names<model::Norm> kNorms = {{"batch", model::Norm::kBatch},
                                   {"layer", model::Norm::kLayer},
                                   {"instance", model::Norm::kInstance},
                                   {"none", model::Norm::kNone}};
const Names<step::Augmentation> kAugmentations = {
    {"none", step::Augmentation::kNone}, {"diff", step::Augmentation::kDiff}, {"ada", step::Augmentation::kAda}};

}  // namespace

void AddObjectiveFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Losses, penalties and the discriminator's shape");
  const auto weight = [&](const std::string& name, double& value, const std::string& help) {
    flags.Add(kFixed, name, value, help)->check(CLI::NonNegativeNumber);
  };
  loss::LossOptions& loss = o.gan.loss;
  flags.AddChoice(kFixed, "--loss", loss.kind, kLosses, "Loss of both networks");
  weight("--r1", loss.r1, "Gamma of R1: gamma/2 x squared gradient of D on reals; 0: none");
  weight("--r2", loss.r2, "Gamma of R2, the same on fakes; 0: none");
  flags.Add(kFixed, "--r1-every", loss.penalty_every, "R1 and R2 in every k-th step, k times as heavy")
      ->check(CLI::Range(1, 1000));
  weight("--gradient-penalty", loss.gradient_penalty, "Lambda of WGAN-GP");
  weight("--feature-matching", loss.feature_matching, "Weight in G's loss of matching the reals' mean features of D");
  flags.Add(kFixed, "--perceptual", loss.perceptual_file, "TorchScript network whose mean features of reals G matches");
  weight("--perceptual-weight", loss.perceptual, "Weight of that term");
  flags.AddChoice(kFixed, "--d-norm", o.gan.network.d_norm, kNorms, "What follows D's convolutions");
  flags.AddSwitch(kFixed, "--spectral-norm", o.gan.network.spectral_norm,
                  "Divide D's weights by their largest singular value");
  flags
      .Add(kMayChange, "--widen-d", o.gan.network.d_width,
           "D's channels as multiples of the rule's; a resumed narrower D is widened")
      ->check(CLI::Range(1, 64));
  flags.AddChoice(kFixed, "--augment", o.gan.augmentation, kAugmentations,
                  "Differentiable augmentation in front of D; ada: with adaptive probability");
}

void AddQualityFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Quality of generated pictures, measured against the holdout");
  flags.Add(kMayChange, "--quality-every", o.quality_every, "Steps between two measurements; 0: never");
  flags.Add(kMayChange, "--quality-images", o.quality_images, "Pictures of each kind, at most those held out")
      ->check(CLI::Range(12, 100000));
  flags.Add(kMayChange, "--inception", o.inception,
            "Inception as TorchScript (inception-2015-12-05.pt): adds FID and KID");
  flags.Add(kMayChange, "--keep-best", o.keep_best,
            "Measure whose best step gets a checkpoint that stays: swd, frechet, kernel, density, "
            "coverage, fid, kid or none");
}

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
    throw UsageError("--keep-best " + best + ": must be swd, frechet, kernel, density, coverage, fid, kid or none");
  }
  if ((best == "fid" || best == "kid") && options.inception.empty()) {
    throw UsageError("--keep-best " + best + " needs --inception FILE, a TorchScript Inception");
  }
  if (options.gan.augmentation == step::Augmentation::kAda && loss.kind == loss::Kind::kWganGp) {
    throw UsageError("--augment ada follows the signs of D's logits, which --loss wgan-gp leaves without meaning");
  }
}

model::NetworkOptions NetworkFromJson(const nlohmann::json& options) {
  model::NetworkOptions network;
  options.at("resolution").get_to(network.resolution);
  options.at("features").get_to(network.features);
  options.at("noise_dim").get_to(network.noise_dim);
  network.d_features = options.value("features_d", std::int64_t{0});
  network.d_norm = kNorms.at(options.value("d_norm", "batch"));
  network.spectral_norm = options.value("spectral_norm", false);
  network.d_width = options.value("d_width", std::int64_t{1});
  return network;
}

}  // namespace gan::run
