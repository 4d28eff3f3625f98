// What the balance controller may do and when; set from --balance and --balance-actions, kept in the checkpoint.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace gan::balance {

enum class Mode { kOff, kWatch, kAct };
std::string_view Name(Mode mode);       // "off", "watch", "act"
Mode ParseMode(std::string_view name);  // throws UsageError on any other word

// What an acting controller may do. Those in kDefaultRemedies are on unless told otherwise.
enum class Remedy {
  kPace,                   // lead both rates to those at which networks of this width learn well
  kAugment,                // augment what D sees, as much as it takes to hold D's AUC
  kDiscriminatorRate,      // lower D's rate when it wins, raise it when it loses, and back again
  kDiscriminatorInterval,  // update D in every k-th step only
  kGeneratorRate,          // lower G's rate, and raise it again
  kDiscriminatorSteps,     // update D several times a step
  kFreezeGenerator,        // leave G as it is for some steps
  kRollback,               // back to the newest healthy checkpoint after a divergence
  kR1,                     // penalise D's gradient on reals
  kWganGp,                 // WGAN-GP's losses and penalty
  kRestartDiscriminator,   // D begins anew, against a D that stays perfect when nothing else is left
  kFeatureMatching,        // G matches the means of D's features on reals
  kWidenDiscriminator,     // twice the channels; never undone
  kRollbackCollapse        // back to a checkpoint from before a mode collapse, with other noise
};
std::string_view Name(Remedy remedy);  // "d-rate", "d-every", "g-rate", "d-steps", "freeze-g", "rollback", "r1", ...
inline constexpr std::string_view kDefaultRemedies =
    "pace,augment,g-rate,d-rate,d-every,d-steps,freeze-g,restart-d,rollback,rollback-collapse";
// Names with commas between them, or "all". Throws UsageError on any other word.
std::set<Remedy> ParseRemedies(const std::string& names);

// The most that max_lr_scale_d may be, and that a rate is led to as a multiple of the configured one.
inline constexpr double kMostLrScale = 1000;

// Who decides: ours, or for comparison in studies (bench/balance/settings.py) a rule of others. kLosses: after each
// step the network whose loss is the lower one has its rate lowered, the other raised, as in schedules on the losses'
// difference. kAccuracies: a D that is right more often than 0.8 on both kinds has its rate lowered by 5 %, one that is
// right less often than 0.6 raised by it.
enum class Rule : std::uint8_t { kBalance, kLosses, kAccuracies };

struct BalanceOptions {
  Mode mode = Mode::kAct;
  std::set<Remedy> remedies = ParseRemedies(std::string(kDefaultRemedies));
  double smoothing_steps = 20;                          // time constant of the moving averages, in steps, >= 1
  double d_ahead_auc = 0.98, d_ahead_clear_auc = 0.95;  // raise and clear: hysteresis
  double g_ahead_auc = 0.55, g_ahead_clear_auc = 0.60;
  // A collapse is a loss: diversity (as a part of the reals') below this part of the best that the run has reached,
  // once it has reached collapse_least. An untrained generator's pictures are all alike, which is no collapse.
  double collapse_diversity = 0.5;
  double collapse_least = 0.1;
  std::uint32_t raise_steps = 20;  // a condition must hold this long before the verdict changes
  std::uint32_t clear_steps = 20;
  std::uint32_t warmup_steps = 50;     // no verdict but diverged before
  std::uint32_t action_interval = 25;  // steps between two interventions
  std::uint32_t help_interval = 40;    // the same while D is helped
  double lr_factor = 0.5, min_lr_scale = 0.125;
  double max_lr_scale_d = 4;  // a D that loses may learn faster than configured
  // How fast D learns beside G is its rate times its updates a step, over G's rate. Nothing that holds D back brings
  // that below this: against a D that is much slower, G runs into a mode collapse.
  double min_d_pace = 0.25;
  std::uint32_t max_d_every = 4, max_d_steps = 4, freeze_g_for = 20;

  // D's excess (0 perfect, 1 cannot tell) as second witness beside the AUC: raise and clear.
  double d_ahead_excess = 0.35, d_ahead_clear_excess = 0.60;
  double g_ahead_excess = 0.85, g_ahead_clear_excess = 0.70;
  // But a D that wins while the fakes are as diverse as the reals (their diversity as a part of the reals') does no
  // harm: that is how long healthy runs look.
  double d_ahead_diversity = 0.75, d_ahead_clear_diversity = 0.9;
  // Both accuracies at least this confirm D ahead even when its loss is large: an over-confident D is punished by the
  // smoothed labels although it tells every picture apart.
  double sure_accuracy = 0.97;
  // So does an AUC as high as this with the excess at most d_ahead_clear_excess.
  double sure_auc = 0.995;
  // G is ahead whatever the AUC when D's loss stays where it says nothing: it may rank the pictures and yet teach G
  // next to nothing. Every run begins like that, hence the longer time before it counts.
  double g_sure_excess = 0.98, g_sure_clear_excess = 0.9;
  std::uint32_t g_raise_steps = 60;
  double collapse_clear_factor = 1.2;  // cleared above collapse_diversity times this
  double blow_up_excess = 5;           // diverged: D's loss this many ranges above its floor (1.5 is common)
  double blow_up_factor = 10;          // diverged: a loss this many times (its long average + 1)
  std::uint32_t undo_steps = 200;      // steps in balance before D is released again; twice that before its help ends
  double r1_gamma = 1;                 // of the remedy r1
  double matching_weight = 1;          // of the remedy feature-matching

  std::uint32_t restart_interval = 300;  // steps between two restarts of D
  std::uint32_t perfect_steps = 60;      // a D whose AUC is sure_auc for so long is ahead, whatever else
  Rule rule = Rule::kBalance;
  // Steering: the probability of augmentation moves by steer_gain times what D's AUC on what it sees is above
  // steer_auc, in every step. G's rate grows by steer_rate per step while the AUC on images as they are is half a
  // steer_band above steer_auc, up to max_lr_scale_g times the one it is led to and to max_lr_g, and falls while it is
  // a band below. Where D's rate is lowered after that, it is to no less than min_lr_d.
  double steer_auc = 0.85, steer_gain = 0.3, max_augment = 1;
  double steer_smoothing = 5, steer_band = 0.1, steer_rate = 0.03;
  // Both rates are led up by steer_rate per step to these, which are for 8 features; 0 leaves a rate as configured. D's
  // is led down to slow_pace_d times its own while D wins, but not below the seed's.
  double pace_lr_g = 8e-4, pace_lr_d = 8e-4, slow_pace_d = 0.25;
  double pace_epochs = 10;  // after so many epochs the highest rate of D is half of that, after twice as many a third
  double pace_beta1 = 0.5;  // Adam's first beta is at most this (Radford, Metz and Chintala, ICLR 2016)
  double augment_epochs = 10;  // only from here on may augmentation have its full strength
  double max_lr_scale_g = 4, max_lr_g = 8e-4, min_lr_d = 1e-4;

  // Of the trainer, as configured, not thresholds: D's pace beside G's, and both rates.
  double d_pace = 1, lr_g = 2e-4, lr_d = 2e-4;
  std::uint32_t features = 64;

  bool IsEnabled(Remedy remedy) const { return remedies.contains(remedy); }
};

// Throws UsageError naming the option that is out of range.
void CheckOptions(const BalanceOptions& options);
void to_json(nlohmann::json& json, const BalanceOptions& options);
// Fields that are absent keep their default.
void from_json(const nlohmann::json& json, BalanceOptions& options);

}  // namespace gan::balance
