#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/step/train_step.h"

namespace gan::run {

// Deliberate faults for testing the balance (docs/balance.md) and the watchdog, given to --inject:
//   latents:K@S+N   in N steps from step S on, only K different latents
//   loss:X@S        both losses of step S times X ("nan" for X: not a number)
//   weights:X@S     D's last layer times X before step S
//   moments:X@S     the first moments of D's Adam times X before step S
//   pictures:X@S    the real images of step S times X
//   loader:T@S      the last rank gets the batch of step S T seconds late
//   rank:T@S        the last rank begins step S T seconds late: the others wait in a collective
// Several faults are separated by commas. All but loader and rank are the same on every rank. Those two are skipped in
// the first step of a resumed run, so that a run that was saved before the step can get past it.
class Faults {
 public:
  // Throws UsageError naming the text that it cannot parse.
  Faults(const std::string& text, bool is_last_rank);

  // `step`: the first step of this process.
  void BeginAt(std::uint64_t step) { first_step_ = step; }

  // The faults of step `step` (counted from 1), applied before it.
  void Inject(step::Gan& gan, std::uint64_t step) const;
  void Inject(step::StepPlan& plan, std::uint64_t step) const;
  step::Batch Inject(step::Batch batch, std::uint64_t step) const;
  void Delay(std::uint64_t step) const { Wait(Kind::kRank, step); }

 private:
  enum class Kind { kLatents, kLoss, kWeights, kMoments, kPictures, kLoader, kRank };
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
  void Wait(Kind kind, std::uint64_t step) const;

  std::vector<Fault> faults_;
  bool is_last_rank_;
  std::uint64_t first_step_ = 0;
};

}  // namespace gan::run
