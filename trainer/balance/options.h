// Options of the balance controller, from --balance, --balance-actions and --balance-set; kept in the checkpoint.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "cli/choice.h"

namespace gan::balance {

enum class Mode { kOff, kWatch, kAct };
inline constexpr cli::Choice<Mode> kModes[] = {{Mode::kOff, "off", "nothing"},
                                               {Mode::kWatch, "watch", "report which network is ahead"},
                                               {Mode::kAct, "act", "report it and act against it"}};
std::string_view Name(Mode mode);
Mode ParseMode(std::string_view name);  // throws UsageError

// What an acting controller may do. It takes those in kDefaultRemedies unless --balance-actions names others.
enum class Remedy {
  kPace,
  kAugment,
  kDiscriminatorRate,
  kDiscriminatorInterval,
  kGeneratorRate,
  kDiscriminatorSteps,
  kFreezeGenerator,
  kRollback,
  kR1,
  kWganGp,
  kRestartDiscriminator,
  kFeatureMatching,
  kWidenDiscriminator,
  kRollbackCollapse
};
inline constexpr cli::Choice<Remedy> kRemedies[] = {
    {Remedy::kPace, "pace", "raise both learning rates to those at which networks of this width learn well"},
    {Remedy::kAugment, "augment", "augment what D sees until its AUC stays in range"},
    {Remedy::kDiscriminatorRate, "d-rate", "lower D's learning rate when D is ahead, raise it when G is ahead"},
    {Remedy::kDiscriminatorInterval, "d-every", "update D in every second to fourth step only"},
    {Remedy::kGeneratorRate, "g-rate", "raise G's learning rate when D is ahead, lower it when G is ahead"},
    {Remedy::kDiscriminatorSteps, "d-steps", "update D two to four times per step"},
    {Remedy::kFreezeGenerator, "freeze-g", "do not update G for some steps"},
    {Remedy::kRollback, "rollback", "roll back to the newest healthy checkpoint after a divergence"},
    {Remedy::kR1, "r1", "add the R1 gradient penalty"},
    {Remedy::kWganGp, "wgan-gp", "change to the Wasserstein loss with gradient penalty"},
    {Remedy::kRestartDiscriminator, "restart-d", "initialise D anew when nothing else helps against a perfect D"},
    {Remedy::kFeatureMatching, "feature-matching", "add feature matching to G's loss"},
    {Remedy::kWidenDiscriminator, "widen-d", "double D's channels; this is never undone"},
    {Remedy::kRollbackCollapse, "rollback-collapse", "roll back to a checkpoint from before a mode collapse"}};
std::string_view Name(Remedy remedy);
inline constexpr std::string_view kDefaultRemedies =
    "pace,augment,g-rate,d-rate,d-every,d-steps,freeze-g,restart-d,rollback,rollback-collapse";
// Names with commas between them, "all" or "none". Throws UsageError on any other word.
std::set<Remedy> ParseRemedies(const std::string& names);

// The highest value of max_lr_scale_d, and the highest multiple of a configured learning rate that pace may reach.
inline constexpr double kMostLrScale = 1000;

// The rule that chooses the learning rates: the balance's own or, for comparison in studies
// (bench/balance/settings.py), a published one. kLosses: after each step the network with the lower loss has its rate
// lowered and the other one raised. kAccuracies: a D that is right more often than 0.8 on both kinds of images has its
// rate lowered by 5 %, one that is right less often than 0.6 has it raised by 5 %.
enum class Rule : std::uint8_t { kBalance, kLosses, kAccuracies };
inline constexpr cli::Choice<Rule> kRules[] = {{Rule::kBalance, "balance", "the balance itself"},
                                               {Rule::kLosses, "losses", "the difference of the losses"},
                                               {Rule::kAccuracies, "accuracies", "the accuracies of D"}};

// A threshold that users are meant to set; docs/balance.md says more about it. All others are for studies:
// docs/balance-study.md.
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
  // A collapse is foretold when, for foretell_steps in a row, D's AUC is at least foretell_auc and the diversity of the
  // generated images, as a part of the reals', is below foretell_diversity and less than foretell_growth times what it
  // was on average over five times smoothing_steps. A healthy run becomes more diverse in that time. Counted from twice
  // the warm-up on.
  double foretell_auc = 0.95, foretell_diversity = 0.3, foretell_growth = 1.05;
  std::uint32_t foretell_steps = 40;
  std::uint32_t perfect_steps = 60;  // a D whose AUC is sure_auc for so long is ahead, whatever else
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
