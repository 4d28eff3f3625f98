#include "trainer/run/train.h"

#include <iostream>

#include "cli/main.h"
#include "trainer/run/dry_run.h"
#include "trainer/run/flags_of_run.h"
#include "trainer/run/trainer.h"
#include "trainer/run/watchdog.h"

namespace gan::run {

namespace {

bool Due(std::uint64_t every, std::uint64_t step) { return every > 0 && step % every == 0; }

int Finish(Trainer& trainer, const char* state, int exit_code) {
  trainer.ReportEnd(state);
  return exit_code;
}

}  // namespace

int Train(const TrainOptions& asked, const distributed::World& world) {
  if (asked.dry_run) {
    Validate(asked, world.size);
    if (world.rank == 0) std::cout << DescribeCost(asked, world.size);
    return cli::kDone;
  }
  const TrainOptions options = WithFlagsOfRun(asked, world);
  Watchdog watchdog(options.watchdog, world.rank);
  Trainer trainer(options, world, [&](Section section) { watchdog.Enter(section); });
  watchdog.SetFolder(trainer.folder());
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
      // What cannot be saved now goes on from the checkpoint before, where a rollback may cure it.
      if (trainer.SaveLast() || trainer.HasCheckpoint()) return Finish(trainer, "stopped", cli::kStoppedSaved);
      return Finish(trainer, "diverged", cli::kDiverged);
    }
    if ((record.best || Due(options.checkpoint_every, record.step)) && !trainer.Finished()) trainer.SaveCheckpoint();
  }
  watchdog.Enter(Section::kEvaluate);
  trainer.RequireEqualReplicas();
  trainer.SaveSamples();
  watchdog.Enter(Section::kSave);
  if (!trainer.SaveLast()) return Finish(trainer, "diverged", cli::kDiverged);
  if (trainer.IsDiverging()) return Finish(trainer, "diverged", cli::kDiverged);
  return Finish(trainer, "finished", cli::kDone);
}

}  // namespace gan::run
