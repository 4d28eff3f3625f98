#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/step/train_step.h"

namespace gan::run {

// Faults that --inject brings about on purpose, to see what the balance makes of them (docs/balance.md).
//   latents:K@S+N   in N steps from step S on, only K different latents
//   loss:X@S        both losses of step S times X ("nan" for X: not a number)
//   weights:X@S     D's last layer times X before step S
//   pictures:X@S    the real pictures of step S times X
// Several are separated by commas. The same on every rank.
class Faults {
 public:
  // Throws UsageError naming what it cannot read.
  explicit Faults(const std::string& text);

  // Before step `step` (from 1).
  void Spoil(step::Gan& gan, std::uint64_t step) const;
  void Spoil(step::StepPlan& plan, std::uint64_t step) const;
  step::Batch Spoil(step::Batch batch, std::uint64_t step) const;

 private:
  enum class Kind { kLatents, kLoss, kWeights, kPictures };
  struct Fault {
    Kind kind = Kind::kLatents;
    double amount = 0;
    std::uint64_t first = 0;  // step
    std::uint64_t count = 1;  // steps
    bool Strikes(Kind which, std::uint64_t step) const {
      return kind == which && step >= first && step < first + count;
    }
  };
  static Fault Parse(const std::string& text);

  std::vector<Fault> faults_;
};

}  // namespace gan::run
