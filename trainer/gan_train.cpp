#include <optional>
#include <string>

#include "cli/build_facts.h"
#include "cli/log.h"
#include "cli/main.h"
#include "trainer/distributed/communicator.h"
#include "trainer/run/agree.h"
#include "trainer/run/flags_of_run.h"
#include "trainer/run/options.h"
#include "trainer/run/stop_signal.h"
#include "trainer/run/train.h"

// The environment is created inside RunMain, because MPI must not start for --help and usage errors, and it outlives
// RunMain, because an error is reported before the other ranks are ended.
int main(int argc, char** argv) {
  CLI::App app(
      "Trains a DCGAN on shards that gan-preprocess wrote, data-parallel over the ranks\n"
      "of mpirun or srun. A switch --NAME is turned off by --no-NAME.\n\n"
      "Examples:\n"
      "  $ gan-train --shards shards/ --run runs/first --resolution 64 --features 16\n"
      "  $ mpirun -np 8 gan-train --shards shards/ --run runs/first\n"
      "  $ gan-train --shards shards/ --dry-run",
      "gan-train");
  gan::run::TrainOptions options;
  gan::run::AddTrainFlags(app, options);
  gan::cli::AddStandardFlags(app, gan::cli::BuildFacts());

  std::optional<gan::distributed::Environment> environment;
  bool agreed = false;  // all ranks left training together with the same exit code
  const int exit_code = gan::cli::RunMain(app, argc, argv, gan::cli::Company::kRanks, [&] {
    gan::run::InstallStopSignals();  // first, because before it a stop signal would kill the rank
    options.given = gan::run::GivenFlags(app);
    // Before MPI starts, because MPI itself sets environment variables of a launcher.
    options.watchdog.has_launcher = gan::run::HasLauncher();
    environment.emplace(&argc, &argv, static_cast<int>(options.expect_world_size));
    const gan::distributed::World& world = environment->world();
    if (world.size > 1) gan::cli::SetErrorPrefix("[rank " + std::to_string(world.rank) + "] ");
    // Rank 0 opens the log file of the run later; the others only ever show warnings.
    gan::cli::QuietLog("gan-train");
    int code = gan::cli::kDone;
    try {
      code = gan::run::Train(options, world);
    } catch (const gan::run::ReportedElsewhere& elsewhere) {
      code = elsewhere.exit_code;
    }
    // Not reached after an exception: then the ranks have not ended together.
    agreed = true;
    return code;
  });
  // This rank failed alone: the other ranks may wait in a collective, so they are ended as well.
  if (environment && !agreed && environment->world().size > 1) gan::distributed::Environment::Abort(exit_code);
  return exit_code;
}
