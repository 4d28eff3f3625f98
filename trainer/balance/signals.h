// The signals of one step, and their moving averages.
#pragma once

#include <cstdint>
#include <optional>

#include <nlohmann/json.hpp>

#include "trainer/balance/options.h"

namespace gan::balance {

// The signals of one step, all-reduced over the ranks.
struct Signals {
  double loss_d = 0, loss_g = 0;
  double loss_d_floor = 0,
         loss_d_ceiling = 0;   // D's loss when it is perfect, and when it cannot distinguish the images (0, 0: unknown)
  double auc = 0.5;            // P(D(real) > D(fake)) on images without augmentation
  double auc_augmented = 0.5;  // the same on D's augmented inputs
  double accuracy_real = 0, accuracy_fake = 0;
  double grad_norm_g = 0, grad_norm_d = 0;
  double diversity = -1, diversity_reference = -1;  // of generated and of real images; negative: not measured
  double epoch = 0;                                 // how often the run has used each image
  bool finite = true;
};

// For a checkpoint. A step with a value that is not finite is stored as only that fact: JSON cannot represent such
// numbers, and the controller does not use them.
void to_json(nlohmann::json& json, const Signals& signals);
void from_json(const nlohmann::json& json, Signals& signals);

// The loss imbalance |L_D/2 - L_G| / (L_D/2 + L_G): 0 when the losses are equal, also when both are 0.
double Imbalance(double loss_d, double loss_g);

// The normalised loss (L_D - floor) / (ceiling - floor): 0 for a perfect D, 1 for a D that cannot distinguish real from
// generated images. Empty when the bounds are unknown.
std::optional<double> NormalisedLoss(const Signals& signals);

// False when the trainer has set `finite` to false, or when a number that the controller uses is not finite.
bool IsFinite(const Signals& signals);

// A bias-corrected exponential moving average. It uses only the four basic IEEE operations and no function of libm, so
// every rank gets the same bits on every machine.
class Average {
 public:
  void Add(double value, double time_constant);
  bool empty() const { return weight_ == 0; }
  double mean() const { return weight_ == 0 ? 0 : sum_ / weight_; }

 private:
  friend void to_json(nlohmann::json& json, const Average& average);
  friend void from_json(const nlohmann::json& json, Average& average);
  double sum_ = 0;
  double weight_ = 0;
};

struct Averages {
  Average steering;  // of the AUC on D's augmented inputs, over a few steps
  Average auc, normalised_loss, accuracy_real, accuracy_fake;
  Average usual_loss_d, usual_loss_g;  // of absolute values, over ten times as many steps; frozen during a blow-up
  Average diversity_ratio;             // generated over real, from the steps that measured it
  Average slow_diversity_ratio;        // the same over five times as many steps
  double best_diversity_ratio = 0;     // the maximum of diversity_ratio so far
};
void to_json(nlohmann::json& json, const Averages& averages);
void from_json(const nlohmann::json& json, Averages& averages);

// Adds one finite step. `warm`: the warm-up is over. Diversity counts only then, because an untrained generator's
// images are all alike.
void Update(Averages& averages, const Signals& signals, const BalanceOptions& options, bool warm);

// Whether a loss of this step is far above its own long-term average, or D's loss far above the value at which it
// cannot distinguish the images.
bool IsBlownUp(const Averages& averages, const Signals& signals, const BalanceOptions& options);

}  // namespace gan::balance
