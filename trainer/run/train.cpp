#include "trainer/run/train.h"

#include <iostream>

#include "cli/main.h"
#include "trainer/run/dry_run.h"
#include "trainer/run/run_state.h"
#include "trainer/run/stop_signal.h"

namespace gan::run {

namespace {

bool Due(std::uint64_t every, std::uint64_t step) { return every > 0 && step % every == 0; }

int Finish(RunState& run, const char* state, int exit_code) {
  run.Tell(state);
  return exit_code;
}

}  // namespace

int Train(const TrainOptions& options, const distributed::World& world) {
  if (options.dry_run) {
    Validate(options, world.size);
    if (world.rank == 0) std::cout << DescribeCost(options, world.size);
    return cli::kDone;
  }
  InstallStopSignals();
  RunState run(options, world);
  while (!run.Finished()) {
    const StepRecord record = run.Step();
    if (run.Diverged()) return Finish(run, "diverged", cli::kDiverged);
    if (Due(options.check_every, record.step)) run.RequireEqualReplicas();
    if (Due(options.sample_every, record.step)) run.SaveSamples();
    if (record.seen.stop_requested && !run.Finished()) {
      run.SaveLast();
      return Finish(run, "stopped", cli::kStoppedSaved);
    }
    if ((record.best || Due(options.checkpoint_every, record.step)) && !run.Finished()) run.SaveCheckpoint();
  }
  run.RequireEqualReplicas();
  run.SaveSamples();
  run.SaveLast();
  return Finish(run, "finished", cli::kDone);
}

}  // namespace gan::run
