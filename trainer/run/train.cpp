#include "trainer/run/train.h"

#include <iostream>

#include "cli/main.h"
#include "trainer/run/dry_run.h"
#include "trainer/run/flags_of_run.h"
#include "trainer/run/settle.h"
#include "trainer/run/trainer.h"
#include "trainer/run/watchdog.h"

namespace gan::run {

namespace {

bool Due(std::uint64_t every, std::uint64_t step) { return every > 0 && step % every == 0; }

int Finish(Trainer& trainer, const char* state, int exit_code) {
  trainer.ReportEnd(state);
  return exit_code;
}

// As long as it exists, the watchdog reports silence to others. It is destroyed before the trainer.
class SilenceIsTold {
 public:
  SilenceIsTold(Watchdog& watchdog, Trainer& trainer) : watchdog_(watchdog) {
    watchdog.SetOnSilence([&trainer](const Silence& silence) { trainer.notifier().Silent(silence); });
  }
  ~SilenceIsTold() { watchdog_.SetOnSilence(nullptr); }
  SilenceIsTold(const SilenceIsTold&) = delete;
  SilenceIsTold& operator=(const SilenceIsTold&) = delete;

 private:
  Watchdog& watchdog_;
};

// The order within a step matters: a rollback discards the step, and a save must not store a state that is about to be
// discarded.
int Loop(const TrainOptions& options, Watchdog& watchdog, Trainer& trainer) {
  while (!trainer.Finished()) {
    watchdog.Enter(Section::kStep);
    const StepRecord record = trainer.Step();
    trainer.ReportFinishedSave();
    watchdog.Enter(Section::kEvaluate);
    if (trainer.WantsRollback() && trainer.RollBack()) continue;
    if (trainer.Diverged()) return Finish(trainer, "diverged", cli::kDiverged);
    if (Due(options.check_every, record.step)) trainer.RequireEqualReplicas();
    if (Due(options.sample_every, record.step)) trainer.SaveSamples();
    watchdog.Enter(Section::kSave);
    if (record.seen.stop_requested && !trainer.Finished()) {
      // If the state cannot be saved, the run resumes from the previous checkpoint, where a rollback may help.
      if (trainer.SaveLast() || trainer.HasCheckpoint()) return Finish(trainer, "stopped", cli::kStoppedSaved);
      return Finish(trainer, "diverged", cli::kDiverged);
    }
    // A measured state may turn out to be the best, and a run that resumes before the result is known measures it
    // again.
    if ((record.is_measured || Due(options.checkpoint_every, record.step)) && !trainer.Finished())
      trainer.SaveCheckpoint();
  }
  // The results of a finished run are checked and saved even if no interval has ended.
  watchdog.Enter(Section::kEvaluate);
  trainer.RequireEqualReplicas();
  trainer.SaveSamples();
  watchdog.Enter(Section::kSave);
  if (!trainer.SaveLast()) return Finish(trainer, "diverged", cli::kDiverged);
  if (trainer.IsDiverging()) return Finish(trainer, "diverged", cli::kDiverged);
  return Finish(trainer, "finished", cli::kDone);
}

}  // namespace

int Train(const TrainOptions& asked, const distributed::World& world) {
  // From here on every rank does the same, because all decisions depend on values that are equal on all ranks.
  const TrainOptions of_run = WithFlagsOfRun(asked, world);
  // From here on the limit of the start counts: reading a data set from a network file system may hang as well.
  Watchdog watchdog(of_run.watchdog, world.rank);
  const SettledOptions settled = Settle(of_run, world);
  const TrainOptions& options = settled.options;
  if (options.dry_run) {
    if (world.rank == 0) std::cout << DescribeCost(settled, world.size);
    return cli::kDone;
  }
  Trainer trainer(options, world, [&](Section section) { watchdog.Enter(section); });
  watchdog.SetFolder(trainer.folder());
  const SilenceIsTold told(watchdog, trainer);
  try {
    return Loop(options, watchdog, trainer);
  } catch (const std::exception& error) {
    trainer.notifier().Failed(error.what());
    throw;
  }
}

}  // namespace gan::run
