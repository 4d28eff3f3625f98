// Options of the balance controller, set by --balance, --balance-actions and --balance-set and kept in the checkpoint.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "cli/choice.h"
#include "trainer/balance/controls.h"

namespace gan::balance {

enum class Mode { kOff, kWatch, kAct };
inline constexpr cli::Choice<Mode> kModes[] = {{Mode::kOff, "off", "it does nothing"},
                                               {Mode::kWatch, "watch", "report which network is ahead"},
                                               {Mode::kAct, "act", "report it and act against it"}};
std::string_view Name(Mode mode);
Mode ParseMode(std::string_view name);  // throws UsageError

std::string_view Name(ActionGroup group);
// The default of --balance-actions.
inline constexpr std::string_view kDefaultActionGroups =
    "pace,augment,g-rate,d-rate,d-every,d-steps,freeze-g,restart-d,rollback,rollback-collapse";
// Parses names separated by commas, "all" or "none". Throws UsageError on any other word.
std::set<ActionGroup> ParseActionGroups(const std::string& names);

// The highest value of max_lr_scale_d, and the highest multiple of a configured learning rate that ActionGroup::kPace
// may reach.
inline constexpr double kMostLrScale = 1000;

// The rule that chooses the learning rates: that of this project or, for comparison in studies
// (bench/balance/settings.py), a published one. kLosses: after each step, lower the rate of the network with the lower
// loss and raise the other one. kAccuracies: lower D's rate by 5 % when D is right more often than 0.8 on both kinds of
// images, and raise it by 5 % when D is right less often than 0.6.
enum class Rule : std::uint8_t { kBalance, kLosses, kAccuracies };
inline constexpr cli::Choice<Rule> kRules[] = {{Rule::kBalance, "balance", "the balance itself"},
                                               {Rule::kLosses, "losses", "the difference of the losses"},
                                               {Rule::kAccuracies, "accuracies", "the accuracies of D"}};

// A threshold that users may want to change. docs/balance.md explains each of them. All others are for studies
// (docs/balance-study.md).
struct PublicThreshold {
  std::string_view name;
  std::string_view words;
};
inline constexpr PublicThreshold kPublicThresholds[] = {
    {"warmup_steps", "first steps without a verdict"},
    {"raise_steps", "steps that a condition must last before it becomes the verdict"},
    {"action_interval", "steps between two actions"},
    {"undo_steps", "balanced steps before an action against D is taken back"},
    {"d_ahead_auc", "AUC of D above which D is ahead"},
    {"g_ahead_auc", "AUC of D below which G is ahead"},
    {"collapse_diversity", "fraction of the best diversity below which G has collapsed"},
    {"steer_auc", "AUC of D that augmentation aims at"},
    {"max_augment", "highest probability of augmentation"},
    {"pace_lr_g", "learning rate of G that pace aims at for 8 features; 0 keeps --lr-g"},
    {"pace_lr_d", "highest learning rate of D that pace aims at for 8 features; 0 keeps --lr-d"}};

struct BalanceOptions {
  Mode mode = Mode::kAct;
  std::set<ActionGroup> action_groups = ParseActionGroups(std::string(kDefaultActionGroups));
  double smoothing_steps = 20;  // time constant of the moving averages, in steps, >= 1
  double d_ahead_auc = 0.98,
         d_ahead_clear_auc = 0.95;  // a verdict is raised at the first value and cleared at the second: hysteresis
  double g_ahead_auc = 0.55, g_ahead_clear_auc = 0.60;
  // A mode collapse is a loss of diversity. The measure is the diversity of the generated images divided by that of the
  // real images. G has collapsed when it falls below collapse_diversity times the best value of the run, once that has
  // reached collapse_least. An untrained generator's images are all alike too, but have lost nothing.
  double collapse_diversity = 0.5;
  double collapse_least = 0.1;
  std::uint32_t raise_steps = 20;  // number of consecutive steps before the verdict changes
  std::uint32_t clear_steps = 20;
  std::uint32_t warmup_steps = 50;     // until then `diverged` is the only possible verdict
  std::uint32_t action_interval = 25;  // steps between two interventions
  std::uint32_t help_interval = 40;    // steps between two interventions while D is helped
  double lr_factor = 0.5, min_lr_scale = 0.125;
  double max_lr_scale_d = 4;  // a losing D may learn faster than configured
  // D's relative learning speed is its learning rate times its updates per step, divided by G's learning rate. Actions
  // that hold D back must not lower it below this value, because beside a much slower D, G runs into a mode collapse.
  double min_d_pace = 0.25;
  std::uint32_t max_d_every = 4, max_d_steps = 4, freeze_g_for = 20;

  // Second criterion beside the AUC: D's normalised loss (NormalisedLoss in signals.h; 0: D is perfect, 1: D cannot
  // distinguish real from generated images). Raised at the first value, cleared at the second.
  double d_ahead_excess = 0.35, d_ahead_clear_excess = 0.60;
  double g_ahead_excess = 0.85, g_ahead_clear_excess = 0.70;
  // An exception: D may win while the generated images are as diverse as the real ones (ratio of their diversities).
  // Healthy runs look like this for a long time.
  double d_ahead_diversity = 0.75, d_ahead_clear_diversity = 0.9;
  // When both accuracies are at least this, D counts as ahead even if its loss is large: smoothed labels give an
  // over-confident D a large loss although it distinguishes all images.
  double sure_accuracy = 0.97;
  // D also counts as ahead when its AUC is at least this while the normalised loss is at most d_ahead_clear_excess.
  double sure_auc = 0.995;
  // Whatever the AUC, G is ahead when D's normalised loss stays this high: D may rank the images correctly and still
  // give G hardly any gradient. Every run begins like this, so the condition must last longer (g_raise_steps).
  double g_sure_excess = 0.98, g_sure_clear_excess = 0.9;
  std::uint32_t g_raise_steps = 60;
  double collapse_clear_factor = 1.2;  // cleared above collapse_diversity times this
  double blow_up_excess = 5;           // diverged: D's normalised loss exceeds this (1.5 is common)
  double blow_up_factor = 10;          // diverged: a loss exceeds this factor times (its long-term average + 1)
  std::uint32_t undo_steps =
      200;              // balanced steps before an action against D is undone; twice as many before its help is undone
  double r1_gamma = 1;  // gamma of ActionGroup::kR1
  double matching_weight = 1;  // weight of ActionGroup::kFeatureMatching

  std::uint32_t restart_interval = 300;  // steps between two restarts of D
  // A mode collapse is expected when, for foretell_steps consecutive steps, D's AUC is at least foretell_auc and the
  // diversity ratio of the generated images is below foretell_diversity and below foretell_growth times its average
  // over five times smoothing_steps. A healthy run becomes more diverse in that time. Applies from the end of twice the
  // warm-up.
  double foretell_auc = 0.95, foretell_diversity = 0.3, foretell_growth = 1.05;
  std::uint32_t foretell_steps = 40;
  // a D whose AUC is at least sure_auc for this many steps is ahead, whatever the other signals
  std::uint32_t perfect_steps = 60;
  Rule rule = Rule::kBalance;
  // Steering. In every step the probability of augmentation changes by steer_gain times the difference between D's AUC
  // on its augmented inputs and steer_auc, or between its AUC on images without augmentation and steer_original_auc,
  // whichever is larger. While the AUC on images without augmentation is more than half a steer_band
  // above steer_auc, G's rate grows by steer_rate per step, up to max_lr_scale_g times its base rate and up to
  // max_lr_g; it falls while the AUC is a whole band below that. D's rate is never lowered below min_lr_d by a later
  // action.
  double steer_auc = 0.85, steer_original_auc = 0.95, steer_gain = 0.3, max_augment = 1;
  double steer_smoothing = 5, steer_band = 0.1, steer_rate = 0.03;
  // Both base rates approach these values by steer_rate per step. They hold for 8 features and a first beta of 0.5
  // (TargetRate in pace.h); 0 keeps the configured rate. While D wins, its base rate falls to slow_pace_d times its
  // target, but not below the rate of the DCGAN paper.
  double pace_lr_g = 8e-4, pace_lr_d = 8e-4, slow_pace_d = 0.25;
  double pace_epochs = 10;  // after this many epochs the upper limit of D's rate is halved, after twice as many a third
  double pace_beta1 = 0.5;  // upper limit of Adam's first beta (Radford, Metz and Chintala, ICLR 2016)
  double augment_epochs = 10;  // augmentation may reach its full strength only from this epoch on
  double max_lr_scale_g = 4, max_lr_g = 8e-4, min_lr_d = 1e-4;

  // Configured values of the trainer, not thresholds: D's relative learning speed, both rates and Adam's first beta.
  double d_pace = 1, lr_g = 2e-4, lr_d = 2e-4, beta1 = 0.5;
  std::uint32_t features = 64;

  bool IsEnabled(ActionGroup group) const { return action_groups.contains(group); }
};

// Throws UsageError naming the option that is out of range.
void CheckOptions(const BalanceOptions& options);
void to_json(nlohmann::json& json, const BalanceOptions& options);
// Fields that are absent keep their default.
void from_json(const nlohmann::json& json, BalanceOptions& options);

}  // namespace gan::balance
