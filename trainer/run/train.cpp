#include "trainer/run/train.h"

#include <iostream>

#include "cli/main.h"
#include "trainer/run/dry_run.h"
#include "trainer/run/flags_of_run.h"
#include "trainer/run/run_state.h"
#include "trainer/run/watchdog.h"

namespace gan::run {

namespace {

bool Due(std::uint64_t every, std::uint64_t step) { return every > 0 && step % every == 0; }

int Finish(RunState& run, const char* state, int exit_code) {
  run.Tell(state);
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
  RunState run(options, world, [&](Section section) { watchdog.Enter(section); });
  watchdog.SetFolder(run.folder());
  while (!run.Finished()) {
    watchdog.Enter(Section::kStep);
    const StepRecord record = run.Step();
    run.TellOfSave();
    watchdog.Enter(Section::kEvaluate);
    if (run.WantsRollback() && run.RollBack()) continue;
    if (run.Diverged()) return Finish(run, "diverged", cli::kDiverged);
    if (Due(options.check_every, record.step)) run.RequireEqualReplicas();
    if (Due(options.sample_every, record.step)) run.SaveSamples();
    watchdog.Enter(Section::kSave);
    if (record.seen.stop_requested && !run.Finished()) {
      // What cannot be saved now goes on from the checkpoint before, where a rollback may cure it.
      if (run.SaveLast() || run.HasCheckpoint()) return Finish(run, "stopped", cli::kStoppedSaved);
      return Finish(run, "diverged", cli::kDiverged);
    }
    if ((record.best || Due(options.checkpoint_every, record.step)) && !run.Finished()) run.SaveCheckpoint();
  }
  watchdog.Enter(Section::kEvaluate);
  run.RequireEqualReplicas();
  run.SaveSamples();
  watchdog.Enter(Section::kSave);
  if (!run.SaveLast()) return Finish(run, "diverged", cli::kDiverged);
  if (run.IsDiverging()) return Finish(run, "diverged", cli::kDiverged);
  return Finish(run, "finished", cli::kDone);
}

}  // namespace gan::run
