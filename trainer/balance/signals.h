// What one step showed, and its moving averages.
#pragma once

#include <cstdint>
#include <optional>

#include <nlohmann/json.hpp>

#include "trainer/balance/options.h"

namespace gan::balance {

// What one step showed, already reduced over all ranks.
struct Signals {
  double loss_d = 0, loss_g = 0;
  double loss_d_floor = 0, loss_d_ceiling = 0;  // D's loss when it is perfect / when it cannot tell (0, 0: unknown)
  double auc = 0.5;                             // P(D(real) > D(fake)) on images without augmentation
  double auc_augmented = 0.5;                   // the same on the images as D got them
  double accuracy_real = 0, accuracy_fake = 0;
  double grad_norm_g = 0, grad_norm_d = 0;
  double diversity = -1, diversity_reference = -1;  // of fakes, of reals; negative: not measured in this step
  double epoch = 0;                                 // how often the run has seen each picture
  bool finite = true;
};

// For a checkpoint. A step that is not finite is kept as just that: JSON has no such numbers, and none of them decides.
void to_json(nlohmann::json& json, const Signals& signals);
void from_json(const nlohmann::json& json, Signals& signals);

// |L_D/2 - L_G| / (L_D/2 + L_G): 0 when the losses are level, and when both are 0.
double Imbalance(double loss_d, double loss_g);

// (L_D - floor) / (ceiling - floor): 0 for a perfect D, 1 for one that cannot tell; nothing when the bounds are
// unknown.
std::optional<double> Excess(const Signals& signals);

// False when the trainer said so or any number that decides is infinite or not a number.
bool IsFinite(const Signals& signals);

// An exponential moving average without bias towards its start. Only the four IEEE operations, no libm: every rank gets
// the same bits whatever its machine.
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
  Average steering;  // of the AUC on what D got, over a few steps
  Average auc, excess, accuracy_real, accuracy_fake;
  Average usual_loss_d, usual_loss_g;  // of absolute values, over ten times as many steps; held still in a blow-up
  Average diversity_ratio;             // of fakes to reals, over the steps in which it was measured
  Average slow_diversity_ratio;        // the same over five times as many steps
  double best_diversity_ratio = 0;     // the highest that diversity_ratio has been
};
void to_json(nlohmann::json& json, const Averages& averages);
void from_json(const nlohmann::json& json, Averages& averages);

// Takes in one finite step. `warm`: the warm-up is over; diversity counts only then, as an untrained generator's
// pictures are all alike.
void Update(Averages& averages, const Signals& signals, const BalanceOptions& options, bool warm);

// Whether a loss of this step stands far above its own long average, or D's far above where it cannot tell.
bool IsBlownUp(const Averages& averages, const Signals& signals, const BalanceOptions& options);

}  // namespace gan::balance
