// A run goes on as it began: the flags that nobody gives to a resumed run are those of the run.
#pragma once

#include <set>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "trainer/distributed/communicator.h"
#include "trainer/run/options.h"

namespace gan::run {

// The names of the flags that were given to `app`, on the command line or in a file, with "_" for "-".
std::set<std::string> GivenFlags(const CLI::App& app);

// `options` with the values of `saved`, which ToJson once gave, for every flag that was not given; but for those that
// say where this start finds its things (--shards, --run ...), and for the length when another kind of it was given.
TrainOptions WithFlagsOf(const TrainOptions& options, const nlohmann::json& saved);

// Collective. The same with the checkpoint that `options` will resume from; `options` as they are when there is none.
// Throws DataError, IoError and checkpoint::NewerVersionError, and ReportedElsewhere.
TrainOptions WithFlagsOfRun(const TrainOptions& options, const distributed::World& world);

}  // namespace gan::run
