// Signals of typical situations, as a DCGAN with labels 0.9/0.1 shows them.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/balance/balance.h"

namespace gan::balance {

inline Signals With(double auc, double loss_d, double loss_g) {
  Signals signals;
  signals.auc = auc;
  signals.loss_d = loss_d;
  signals.loss_g = loss_g;
  signals.loss_d_floor = 0.650;
  signals.loss_d_ceiling = 1.386;
  signals.accuracy_real = signals.accuracy_fake = auc;
  return signals;
}

// D usually wins in a healthy run.
inline Signals Healthy() { return With(0.90, 1.0, 2.5); }
inline Signals DiscriminatorWins() { return With(0.998, 0.68, 5.0); }
inline Signals GeneratorWins() { return With(0.51, 1.38, 0.7); }

// Ten steps at which the tests need no waiting: no warm-up, nearly no smoothing.
inline BalanceOptions Quick() {
  BalanceOptions options;
  options.smoothing_steps = 1;
  options.raise_steps = options.g_raise_steps = options.clear_steps = 3;
  options.warmup_steps = 0;
  options.action_interval = options.help_interval = 5;
  options.undo_steps = 10;
  options.freeze_g_for = 4;
  options.d_pace = 16;  // room for every rung
  options.min_lr_d = 0;
  options.perfect_steps = 1000;
  options.max_augment = 0;  // steering has its own tests
  options.augment_epochs = 0;
  options.pace_lr_g = options.pace_lr_d = 0;
  options.pace_beta1 = 1;
  options.max_lr_scale_g = 1;
  return options;
}

inline BalanceOptions Watching(BalanceOptions options) {
  options.mode = Mode::kWatch;
  return options;
}

// Feeds the same signals again and again; counts the steps itself.
class Script {
 public:
  explicit Script(const BalanceOptions& options) : controller(options) {}

  std::vector<Intervention> Feed(int steps, const Signals& signals) {
    std::vector<Intervention> all;
    for (int i = 0; i < steps; ++i) {
      for (auto& done : controller.Observe(++step, signals)) all.push_back(std::move(done));
    }
    return all;
  }

  Controller controller;
  std::uint64_t step = 0;
};

}  // namespace gan::balance
