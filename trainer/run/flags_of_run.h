// A resumed run keeps its flags: those that are not given again have the values of the run.
#pragma once

#include <set>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "trainer/distributed/communicator.h"
#include "trainer/run/options.h"

namespace gan::run {

// The names of the flags that were given to `app` on the command line or in a configuration file, with "_" in place of
// "-".
std::set<std::string> GivenFlags(const CLI::App& app);

// Whether the user has given the length of the run, in whatever unit.
bool HasLength(const TrainOptions& options);

// "chosen --features 8: REASON", for the log and --dry-run.
std::string InWords(const Chosen& chosen);

// `options` with the values in `saved`, a result of ToJson, for every flag that was not given. Exceptions: flags for
// paths (--shards, --run and others), and the length of the run when another kind of length was given. The same --time
// as before means the same number of steps.
TrainOptions WithFlagsOf(const TrainOptions& options, const nlohmann::json& saved);

// Collective. The same with the checkpoint from which a run with `options` will resume, and with `before` set. Returns
// `options` unchanged when there is none. Throws DataError, IoError, checkpoint::NewerVersionError and
// ReportedElsewhere.
TrainOptions WithFlagsOfRun(const TrainOptions& options, const distributed::World& world);

}  // namespace gan::run
