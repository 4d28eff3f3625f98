// The vocabulary of the balance controller: the actions that users choose, the names under which interventions are
// recorded, and the controls that they change.
#pragma once

#include <cstdint>
#include <string_view>

#include "cli/choice.h"

namespace gan::balance {

// The actions that the controller may take in the mode act. --balance-actions selects them; its help and its check
// follow from kActionGroups.
enum class ActionGroup {
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
inline constexpr cli::Choice<ActionGroup> kActionGroups[] = {
    {ActionGroup::kPace, "pace", "raise both learning rates to those at which networks of this width learn well"},
    {ActionGroup::kAugment, "augment", "augment what D sees until its AUC stays in range"},
    {ActionGroup::kDiscriminatorRate, "d-rate", "lower D's learning rate when D is ahead, raise it when G is ahead"},
    {ActionGroup::kDiscriminatorInterval, "d-every", "update D in every second to fourth step only"},
    {ActionGroup::kGeneratorRate, "g-rate", "raise G's learning rate when D is ahead, lower it when G is ahead"},
    {ActionGroup::kDiscriminatorSteps, "d-steps", "update D two to four times per step"},
    {ActionGroup::kFreezeGenerator, "freeze-g", "do not update G for some steps"},
    {ActionGroup::kRollback, "rollback", "roll back to the newest healthy checkpoint after a divergence"},
    {ActionGroup::kR1, "r1", "add the R1 gradient penalty"},
    {ActionGroup::kWganGp, "wgan-gp", "change to the Wasserstein loss with gradient penalty"},
    {ActionGroup::kRestartDiscriminator, "restart-d", "initialise D anew when nothing else helps against a perfect D"},
    {ActionGroup::kFeatureMatching, "feature-matching", "add feature matching to G's loss"},
    {ActionGroup::kWidenDiscriminator, "widen-d", "double D's channels; this is never undone"},
    {ActionGroup::kRollbackCollapse, "rollback-collapse", "roll back to a checkpoint from before a mode collapse"}};

// Every possible value of Intervention::action, in stats.jsonl and as a label of gan_train_interventions_total.
// docs/balance.md lists them.
inline constexpr std::string_view kActions[] = {"lower_d_rate",         "raise_d_rate", "d_less_often",
                                                "d_more_often",         "more_d_steps", "fewer_d_steps",
                                                "lower_g_rate",         "raise_g_rate", "freeze_g",
                                                "unfreeze_g",           "r1_on",        "r1_off",
                                                "wgan_gp_on",           "wgan_gp_off",  "feature_matching_on",
                                                "feature_matching_off", "widen_d",      "restart_d",
                                                "more_augmentation",    "skip_step",    "rollback"};

// How the next steps differ from the configured training. The default values change nothing.
struct Controls {
  double base_scale_d = 1;           // multiplies D's configured learning rate; set by ActionGroup::kPace
  double base_scale_g = 1;           // the same factor for G's rate
  double max_beta1 = 1;              // upper limit of Adam's first beta
  double lr_scale_d = 1;             // multiplies D's base rate (the configured rate times base_scale_d)
  double lr_scale_g = 1;             // the same factor for G's rate
  std::uint32_t d_every = 1;         // D is updated in every k-th step only
  std::uint32_t d_steps = 1;         // updates of D per step
  std::uint32_t freeze_g_steps = 0;  // number of further steps without an update of G; the controller counts it down
  bool r1 = false;                   // adds R1 with at least the gamma of the options
  bool wgan_gp = false;              // replaces the configured loss by WGAN-GP
  bool feature_matching = false;     // adds feature matching with at least the weight of the options
  std::uint32_t d_restarts = 0;      // how often D has been initialised anew
  double least_augment = 0;          // lower limit of `augment` while steering adjusts it
  double augment = 0;                // probability of augmentation of D's inputs; at least the configured one
  std::uint32_t d_width = 1;         // multiplies D's configured number of channels; never decreases

  bool operator==(const Controls&) const = default;
};

}  // namespace gan::balance
