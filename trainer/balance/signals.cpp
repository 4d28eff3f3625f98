#include "trainer/balance/signals.h"

#include <algorithm>
#include <cmath>

namespace gan::balance {
namespace {

// The time constants of the long averages, as multiples of smoothing_steps.
constexpr double kLongFactor = 10;
constexpr double kSlowFactor = 5;

bool IsFar(double loss, const Average& usual, double factor) {
  // The 1 prevents small changes of losses around zero, such as those of critics, from counting as a blow-up.
  return !usual.empty() && std::abs(loss) > factor * (usual.mean() + 1);
}

// One list of the fields for writing and reading, so that neither can omit one.
template <typename AnySignals, typename Visitor>
void VisitSignals(AnySignals& s, Visitor&& visit) {
  visit("loss_d", s.loss_d);
  visit("loss_g", s.loss_g);
  visit("loss_d_floor", s.loss_d_floor);
  visit("loss_d_ceiling", s.loss_d_ceiling);
  visit("auc", s.auc);
  visit("auc_augmented", s.auc_augmented);
  visit("accuracy_real", s.accuracy_real);
  visit("accuracy_fake", s.accuracy_fake);
  visit("grad_norm_g", s.grad_norm_g);
  visit("grad_norm_d", s.grad_norm_d);
  visit("diversity", s.diversity);
  visit("diversity_reference", s.diversity_reference);
  visit("epoch", s.epoch);
}

}  // namespace

// A value that is not finite and not used is left out.
void to_json(nlohmann::json& json, const Signals& signals) {
  json = {{"finite", IsFinite(signals)}};
  if (!IsFinite(signals)) return;
  VisitSignals(signals, [&](const char* name, double value) {
    if (std::isfinite(value)) json[name] = value;
  });
}

void from_json(const nlohmann::json& json, Signals& signals) {
  signals = {};
  json.at("finite").get_to(signals.finite);
  VisitSignals(signals, [&](const char* name, double& value) { value = json.value(name, value); });
}

// D's loss is the sum of two parts, so half of it is comparable with G's loss. It is only displayed, and no verdict
// uses it, since the losses of D and G are not comparable in most objectives.
double Imbalance(double loss_d, double loss_g) {
  const double half = loss_d / 2;
  const double sum = half + loss_g;
  return sum == 0 ? 0 : std::abs(half - loss_g) / sum;
}

std::optional<double> NormalisedLoss(const Signals& signals) {
  const double range = signals.loss_d_ceiling - signals.loss_d_floor;
  // The result is empty also for critics without bounds, whose range is 0, and for NaN.
  if (!(range > 0)) return std::nullopt;
  return (signals.loss_d - signals.loss_d_floor) / range;
}

bool IsFinite(const Signals& s) {
  for (double value : {s.loss_d, s.loss_g, s.auc, s.accuracy_real, s.accuracy_fake, s.grad_norm_g, s.grad_norm_d}) {
    if (!std::isfinite(value)) return false;
  }
  return s.finite;
}

// `weight_` is the sum of the weights so far; dividing by it in mean() removes the bias towards the initial 0.
void Average::Add(double value, double time_constant) {
  const double alpha = 1 / time_constant;
  sum_ += alpha * (value - sum_);
  weight_ += alpha * (1 - weight_);
}

void to_json(nlohmann::json& json, const Average& average) { json = {average.sum_, average.weight_}; }

void from_json(const nlohmann::json& json, Average& average) {
  json.at(0).get_to(average.sum_);
  json.at(1).get_to(average.weight_);
}

// All averages of one step; diversity only after the warm-up and in steps that measured it.
void Update(Averages& a, const Signals& signals, const BalanceOptions& options, bool warm) {
  const double steps = options.smoothing_steps;
  a.auc.Add(signals.auc, steps);
  a.steering.Add(signals.auc_augmented, options.steer_smoothing);
  a.accuracy_real.Add(signals.accuracy_real, steps);
  a.accuracy_fake.Add(signals.accuracy_fake, steps);
  if (const auto normalised_loss = NormalisedLoss(signals))
    a.normalised_loss.Add(std::clamp(*normalised_loss, -1.0, 4.0), steps);  // limits the influence of a single step
  // During a blow-up these averages stay as they are: otherwise they would adapt to the high losses.
  if (!IsBlownUp(a, signals, options)) {
    a.usual_loss_d.Add(std::abs(signals.loss_d), steps * kLongFactor);
    a.usual_loss_g.Add(std::abs(signals.loss_g), steps * kLongFactor);
  }
  const double ratio = signals.diversity / signals.diversity_reference;
  const bool measured = signals.diversity >= 0 && signals.diversity_reference > 0 && std::isfinite(ratio);
  if (!warm || !measured) return;
  a.diversity_ratio.Add(ratio, steps);
  a.slow_diversity_ratio.Add(ratio, steps * kSlowFactor);
  // The best average and not the best step: a single batch may happen to be diverse.
  a.best_diversity_ratio = std::max(a.best_diversity_ratio, a.diversity_ratio.mean());
}

bool IsBlownUp(const Averages& a, const Signals& signals, const BalanceOptions& options) {
  return NormalisedLoss(signals).value_or(0) > options.blow_up_excess ||
         IsFar(signals.loss_d, a.usual_loss_d, options.blow_up_factor) ||
         IsFar(signals.loss_g, a.usual_loss_g, options.blow_up_factor);
}

void to_json(nlohmann::json& json, const Averages& a) {
  json = {{"auc", a.auc},
          {"steering", a.steering},
          {"excess", a.normalised_loss},
          {"accuracy_real", a.accuracy_real},
          {"accuracy_fake", a.accuracy_fake},
          {"usual_loss_d", a.usual_loss_d},
          {"usual_loss_g", a.usual_loss_g},
          {"diversity_ratio", a.diversity_ratio},
          {"slow_diversity_ratio", a.slow_diversity_ratio},
          {"best_diversity_ratio", a.best_diversity_ratio}};
}

// Members that older versions lack start from a related value or empty.
void from_json(const nlohmann::json& json, Averages& a) {
  json.at("auc").get_to(a.auc);
  if (json.contains("steering")) json.at("steering").get_to(a.steering);
  json.at("excess").get_to(a.normalised_loss);
  json.at("accuracy_real").get_to(a.accuracy_real);
  json.at("accuracy_fake").get_to(a.accuracy_fake);
  json.at("usual_loss_d").get_to(a.usual_loss_d);
  json.at("usual_loss_g").get_to(a.usual_loss_g);
  json.at("diversity_ratio").get_to(a.diversity_ratio);
  a.slow_diversity_ratio = a.diversity_ratio;  // absent before version 7
  if (json.contains("slow_diversity_ratio")) json.at("slow_diversity_ratio").get_to(a.slow_diversity_ratio);
  json.at("best_diversity_ratio").get_to(a.best_diversity_ratio);
}

}  // namespace gan::balance
