#include <string>
#include <vector>

#include "cli/build_facts.h"
#include "cli/flags.h"
#include "cli/main.h"
#include "launcher/command_line.h"
#include "launcher/evidence.h"
#include "launcher/preflight.h"
#include "launcher/secrets.h"
#include "launcher/supervisor.h"

int main(int argc, char** argv) {
  CLI::App app(
      "Starts a training job under mpirun or srun, watches it, and restarts it from its\n"
      "newest checkpoint when it fails. Arguments in front of -- that gan-launch does\n"
      "not know are passed to mpirun or srun. The program behind -- needs --run DIR.\n"
      "SIGTERM, SIGINT and SIGUSR1 save a checkpoint and stop with exit code 75. A\n"
      "second SIGINT stops at once.\n\n"
      "Examples:\n"
      "  $ gan-launch -np 8 -- gan-train --shards shards/ --run runs/first\n"
      "  $ gan-launch -np 16 --hostfile hosts -- gan-train --shards s/ --run runs/big\n"
      "  $ gan-launch --check -np 8 -- gan-train --shards shards/ --run runs/first",
      "gan-launch");
  gan::launch::LaunchOptions options;
  gan::launch::AddLaunchFlags(app, options);
  gan::cli::AddStandardFlags(app, gan::cli::BuildFacts());

  // CLI11 gets only gan-launch's own flags, because it would refuse those of mpirun.
  std::vector<std::string> own = gan::launch::SplitArguments(app, {argv + 1, argv + argc}, options);
  gan::cli::HideSecrets(argc, argv);  // all values have been copied
  std::vector<char*> arguments = {argv[0]};
  for (std::string& argument : own) arguments.push_back(argument.data());
  return gan::cli::RunMain(app, static_cast<int>(arguments.size()), arguments.data(), [&] {
    // First of all, because the checks below already start processes with the program's arguments.
    gan::launch::MoveSecretsToEnvironment(options);
    const std::filesystem::path run = gan::launch::RunFolderOf(options);
    gan::launch::RequireJobCanStart(options, run);
    return options.check ? gan::launch::Preflight(options, run) : gan::launch::Supervise(options, run);
  });
}
