#include "trainer/run/objective_flags.h"

#include <map>

#include "storage/errors.h"
#include "trainer/quality/evaluator.h"
#include "trainer/run/choices.h"

namespace gan::run {

namespace {

const std::map<std::string, loss::Kind> kLosses = {{"bce", loss::Kind::kBce},
                                                   {"hinge", loss::Kind::kHinge},
                                                   {"wgan-gp", loss::Kind::kWganGp},
                                                   {"rpgan", loss::Kind::kRpgan}};
const std::map<std::string, model::Norm> kNorms = {{"batch", model::Norm::kBatch},
                                                   {"layer", model::Norm::kLayer},
                                                   {"instance", model::Norm::kInstance},
                                                   {"none", model::Norm::kNone}};
const std::map<std::string, step::Augmentation> kAugmentations = {
    {"none", step::Augmentation::kNone}, {"diff", step::Augmentation::kDiff}, {"ada", step::Augmentation::kAda}};

}  // namespace

void AddObjectiveFlags(CLI::App& app, TrainOptions& o) {
  const std::string group = "Losses, penalties and the discriminator's shape";
  const auto add = [&](const std::string& name, auto& value, const std::string& help) {
    return app.add_option(name, value, help)->group(group)->capture_default_str();
  };
  loss::LossOptions& loss = o.gan.loss;
  AddChoice(app, group, "--loss", loss.kind, kLosses, "Loss of both networks");
  add("--r1", loss.r1, "Gamma of R1: gamma/2 x squared gradient of D on reals; 0: none")->check(CLI::NonNegativeNumber);
  add("--r2", loss.r2, "Gamma of R2, the same on fakes; 0: none")->check(CLI::NonNegativeNumber);
  add("--r1-every", loss.penalty_every, "R1 and R2 in every k-th step, k times as heavy")->check(CLI::Range(1, 1000));
  add("--gradient-penalty", loss.gradient_penalty, "Lambda of WGAN-GP")->check(CLI::NonNegativeNumber);
  add("--feature-matching", loss.feature_matching, "Weight in G's loss of matching the reals' mean features of D")
      ->check(CLI::NonNegativeNumber);
  add("--perceptual", loss.perceptual_file, "TorchScript network whose mean features of reals G matches");
  add("--perceptual-weight", loss.perceptual, "Weight of that term")->check(CLI::NonNegativeNumber);
  AddChoice(app, group, "--d-norm", o.gan.network.d_norm, kNorms, "What follows D's convolutions");
  app.add_flag("--spectral-norm", o.gan.network.spectral_norm, "Divide D's weights by their largest singular value")
      ->group(group);
  add("--widen-d", o.gan.network.d_width, "D's channels as multiples of the rule's; a resumed narrower D is widened")
      ->check(CLI::Range(1, 64));
  AddChoice(app, group, "--augment", o.gan.augmentation, kAugmentations,
            "Differentiable augmentation in front of D; ada: with adaptive probability");
}

void AddQualityFlags(CLI::App& app, TrainOptions& o) {
  const std::string group = "Quality of generated pictures, measured against the holdout";
  const auto add = [&](const std::string& name, auto& value, const std::string& help) {
    return app.add_option(name, value, help)->group(group)->capture_default_str();
  };
  add("--quality-every", o.quality_every, "Steps between two measurements; 0: never");
  add("--quality-images", o.quality_images, "Pictures of each kind, at most those held out")
      ->check(CLI::Range(12, 100000));
  add("--inception", o.inception, "Inception as TorchScript (inception-2015-12-05.pt): adds FID and KID");
  add("--keep-best", o.keep_best,
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

nlohmann::json ObjectiveToJson(const TrainOptions& o) {
  return {{"loss", NameOf(o.gan.loss.kind, kLosses)},
          {"r1", o.gan.loss.r1},
          {"r2", o.gan.loss.r2},
          {"r1_every", o.gan.loss.penalty_every},
          {"gradient_penalty", o.gan.loss.gradient_penalty},
          {"feature_matching", o.gan.loss.feature_matching},
          {"perceptual", o.gan.loss.perceptual_file},
          {"perceptual_weight", o.gan.loss.perceptual},
          {"d_norm", NameOf(o.gan.network.d_norm, kNorms)},
          {"spectral_norm", o.gan.network.spectral_norm},
          {"widen_d", o.gan.network.d_width},
          {"quality_every", o.quality_every},
          {"quality_images", o.quality_images},
          {"inception", o.inception.string()},
          {"keep_best", o.keep_best},
          {"augment", NameOf(o.gan.augmentation, kAugmentations)}};
}

model::NetworkOptions NetworkFromJson(const nlohmann::json& options) {
  model::NetworkOptions network;
  options.at("resolution").get_to(network.resolution);
  options.at("features").get_to(network.features);
  options.at("noise_dim").get_to(network.noise_dim);
  network.d_norm = kNorms.at(options.value("d_norm", "batch"));
  network.spectral_norm = options.value("spectral_norm", false);
  network.d_width = options.value("d_width", std::int64_t{1});
  return network;
}

}  // namespace gan::run
