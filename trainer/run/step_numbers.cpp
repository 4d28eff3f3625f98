#include "trainer/run/step_numbers.h"

#include <array>
#include <cmath>

namespace gan::run {

namespace {

using monitoring::Metric;
using Value = std::optional<double>;

// The mean of a function of the logits.
double Mean(std::span<const double> values, double (*of)(double)) {
  double sum = 0;
  for (const double value : values) sum += of(value);
  return sum / static_cast<double>(values.size());
}

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double IsPositive(double x) { return x > 0 ? 1 : 0; }
double IsNegative(double x) { return x < 0 ? 1 : 0; }

// A negative number means that the value was not measured.
Value NotNegative(double value) { return value < 0 ? Value() : value; }

// A network that was not trained has no gradient.
Value GradientNorm(const std::optional<step::Update>& update) {
  return update ? Value(update->gradient_norm) : std::nullopt;
}

using Rank = const RankMeasurements&;
using Record = const StepRecord&;

// Each row is one number; the order is that of the table in docs/monitoring.md.
// clang-format off
const std::array kNumbers = {
    StepNumber{.name = "epoch", .unit = "epochs", .meaning = "Passes over the training images so far",
               .of_record = [](Record r) { return Value(r.epoch); }},
    StepNumber{.name = "loss_d", .unit = "", .meaning = "Discriminator's loss without penalties",
               .of_record = [](Record r) { return Value(r.seen.loss_d); },
               .metric = Metric::kLoss, .label = "discriminator"},
    StepNumber{.name = "loss_d_real", .unit = "", .meaning = "Its part on real images",
               .member = &Observation::loss_d_real, .of_rank = [](Rank r) { return r.result.loss_d_real; }},
    StepNumber{.name = "loss_d_fake", .unit = "", .meaning = "Its part on generated images",
               .member = &Observation::loss_d_fake, .of_rank = [](Rank r) { return r.result.loss_d_fake; }},
    StepNumber{.name = "loss_g", .unit = "", .meaning = "Generator's adversarial loss",
               .member = &Observation::loss_g, .of_rank = [](Rank r) { return r.result.loss_g; },
               .metric = Metric::kLoss, .label = "generator"},
    StepNumber{.name = "penalty_d", .unit = "", .meaning = "Gradient penalties that are added to the discriminator's loss",
               .of_rank = [](Rank r) { return r.result.penalty; },
               .metric = Metric::kPenalty},
    StepNumber{.name = "matching_g", .unit = "", .meaning = "Feature matching that is added to the generator's loss",
               .of_rank = [](Rank r) { return r.result.matching; }},
    StepNumber{.name = "d_real_mean", .unit = "ratio", .meaning = "Mean of sigmoid(D(x)) over real images",
               .of_rank = [](Rank r) { return Mean(r.real_logits, Sigmoid); },
               .metric = Metric::kDiscriminatorOutputMean, .label = "real"},
    StepNumber{.name = "d_fake_mean", .unit = "ratio", .meaning = "Mean of sigmoid(D(x)) over generated images",
               .of_rank = [](Rank r) { return Mean(r.fake_logits, Sigmoid); },
               .metric = Metric::kDiscriminatorOutputMean, .label = "fake"},
    StepNumber{.name = "d_accuracy_real", .unit = "ratio", .meaning = "Share of real images with D(x) > 0",
               .member = &Observation::accuracy_real, .of_rank = [](Rank r) { return Mean(r.real_logits, IsPositive); },
               .metric = Metric::kDiscriminatorAccuracy, .label = "real"},
    StepNumber{.name = "d_accuracy_fake", .unit = "ratio", .meaning = "Share of generated images with D(x) < 0",
               .member = &Observation::accuracy_fake, .of_rank = [](Rank r) { return Mean(r.fake_logits, IsNegative); },
               .metric = Metric::kDiscriminatorAccuracy, .label = "fake"},
    StepNumber{.name = "d_auc", .unit = "ratio",
               .meaning = "Probability that D ranks a real image above a generated one, both without augmentation",
               .member = &Observation::auc, .of_rank = [](Rank r) { return r.auc; },
               .metric = Metric::kDiscriminatorAuc},
    StepNumber{.name = "", .unit = "ratio", .meaning = "The same on D's augmented inputs",
               .member = &Observation::auc_augmented, .of_rank = [](Rank r) { return r.auc_augmented; }},
    StepNumber{.name = "diversity", .unit = "pixel values in [-1, 1]",
               .meaning = "Mean distance of a generated image to its nearest neighbour in the batch",
               .member = &Observation::diversity, .of_rank = [](Rank r) { return r.result.fake_distance; },
               .of_record = [](Record r) { return NotNegative(r.seen.diversity); },
               .metric = Metric::kSampleDiversity},
    StepNumber{.name = "diversity_reference", .unit = "pixel values in [-1, 1]", .meaning = "The same of real images",
               .member = &Observation::diversity_reference, .of_rank = [](Rank r) { return r.result.real_distance; },
               .of_record = [](Record r) { return NotNegative(r.seen.diversity_reference); },
               .metric = Metric::kSampleDiversityReference},
    StepNumber{.name = "collapse_foretold", .unit = "", .meaning = "1 while a mode collapse is expected, else 0",
               .of_record = [](Record r) { return Value(r.collapse_foretold ? 1 : 0); },
               .metric = Metric::kCollapseForetold},
    StepNumber{.name = "grad_norm_d", .unit = "", .meaning = "Norm of the discriminator's averaged gradient",
               .of_record = [](Record r) { return GradientNorm(r.local.discriminator); },
               .metric = Metric::kGradientNorm, .label = "discriminator"},
    StepNumber{.name = "grad_norm_g", .unit = "", .meaning = "Norm of the generator's averaged gradient",
               .of_record = [](Record r) { return GradientNorm(r.local.generator); },
               .metric = Metric::kGradientNorm, .label = "generator"},
    StepNumber{.name = "lr_d", .unit = "", .meaning = "Discriminator's learning rate in this step",
               .of_record = [](Record r) { return Value(r.lr_d); },
               .metric = Metric::kLearningRate, .label = "discriminator"},
    StepNumber{.name = "lr_g", .unit = "", .meaning = "Generator's learning rate in this step",
               .of_record = [](Record r) { return Value(r.lr_g); },
               .metric = Metric::kLearningRate, .label = "generator"},
    StepNumber{.name = "augment_probability", .unit = "ratio", .meaning = "Probability that an image is augmented for D",
               .of_record = [](Record r) { return Value(r.augment_probability); },
               .metric = Metric::kAugmentProbability},
    StepNumber{.name = "imbalance", .unit = "ratio", .meaning = "|L_D/2 - L_G| / (L_D/2 + L_G): 0 when the two losses are equal",
               .of_record = [](Record r) { return Value(balance::Imbalance(r.seen.loss_d, r.seen.loss_g)); },
               .metric = Metric::kLossImbalance},
    StepNumber{.name = "step_seconds", .unit = "seconds", .meaning = "Duration of the step on rank 0",
               .of_record = [](Record r) { return Value(r.seconds); }},
    StepNumber{.name = "images_per_second", .unit = "images per second", .meaning = "Real images of all ranks in that time",
               .of_record = [](Record r) { return Value(r.images_per_second); }},
};
// clang-format on

}  // namespace

std::span<const StepNumber> StepNumbers() { return kNumbers; }

std::optional<double> ValueOf(const StepNumber& number, const StepRecord& record) {
  // A row with both functions is reduced over the ranks first and then turned into what is published.
  if (number.of_record != nullptr) return number.of_record(record);
  if (number.member != nullptr) return record.seen.*number.member;
  const auto found = record.seen.others.find(number.name);
  return found == record.seen.others.end() ? Value() : found->second;
}

}  // namespace gan::run
