// The balance between generator and discriminator: signals -> verdict -> actions, as pure functions of all-reduced
// numbers plus a small state, so every rank decides the same. std only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace gan::balance {

enum class Mode { kOff, kWatch, kAct };
enum class Verdict { kBalanced, kDiscriminatorAhead, kGeneratorAhead, kModeCollapse, kDiverged };
std::string_view Name(Verdict verdict);  // "balanced", "discriminator_ahead", ...
inline constexpr Verdict kVerdicts[] = {Verdict::kBalanced, Verdict::kDiscriminatorAhead, Verdict::kGeneratorAhead,
                                        Verdict::kModeCollapse, Verdict::kDiverged};

// What one step showed, already reduced over all ranks.
struct Signals {
  double loss_d = 0, loss_g = 0;
  double loss_d_floor = 0, loss_d_ceiling = 0;  // D's loss when it is perfect / when it cannot tell (0, 0: unknown)
  double auc = 0.5;                             // P(D(real) > D(fake))
  double accuracy_real = 0, accuracy_fake = 0;
  double grad_norm_g = 0, grad_norm_d = 0;
  double diversity = -1, diversity_reference = -1;  // of fakes, of reals; negative: not measured in this step
  bool finite = true;
};

// What the next steps do differently. The neutral value changes nothing.
struct Controls {
  double lr_scale_d = 1;   // D's rate is its configured rate times this
  std::uint32_t d_every = 1;   // D is updated in every k-th step
  std::uint32_t d_steps = 1;   // D updates a step
  std::uint32_t freeze_g_steps = 0;  // steps for which G is not updated, counted down by the controller
};

// |L_D/2 - L_G| / (L_D/2 + L_G): 0 when the losses are level.
double Imbalance(double loss_d, double loss_g);

struct Intervention {
  std::uint64_t step = 0;
  std::string action;  // "lower_d_rate", "raise_d_rate", "d_less_often", "d_more_often", "more_d_steps", "freeze_g", ...
  std::string reason;  // in words, for the log
};

struct BalanceOptions {
  Mode mode = Mode::kAct;
  double smoothing_steps = 20;        // time constant of the moving averages, in steps
  double d_ahead_auc = 0.98, d_ahead_clear_auc = 0.95;  // raise and clear: hysteresis
  double g_ahead_auc = 0.55, g_ahead_clear_auc = 0.60;
  double collapse_diversity = 0.5;    // fakes' diversity below this part of the reals'
  std::uint32_t raise_steps = 20;     // a condition must hold this long before the verdict changes
  std::uint32_t clear_steps = 20;
  std::uint32_t warmup_steps = 50;    // no verdict but diverged before
  std::uint32_t action_interval = 25; // steps between two interventions
  double lr_factor = 0.5, min_lr_scale = 0.125;
  std::uint32_t max_d_every = 4, max_d_steps = 4, freeze_g_for = 20;
};

// Not thread-safe. State goes into the checkpoint by Save/Restore and continues bit-exactly.
class Controller {
 public:
  explicit Controller(BalanceOptions options);
  // Takes in one step, returns what was done about it (empty in the modes off and watch).
  std::vector<Intervention> Observe(std::uint64_t step, const Signals& signals);
  Verdict verdict() const { return verdict_; }
  const Controls& controls() const { return controls_; }
  nlohmann::json Save() const;
  void Restore(const nlohmann::json& state);

 private:
  BalanceOptions options_;
  Verdict verdict_ = Verdict::kBalanced;
  Controls controls_;
};

}  // namespace gan::balance
