#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include "trainer/data/classes.h"
#include "trainer/data/loader.h"
#include "trainer/run/options.h"

namespace gan::run {

// The classes of a --conditional run, in the order of the manifest; empty for any other run. Throws UsageError when the
// training images do not have at least two classes, DataError when a label is damaged.
data::Classes ClassesOf(const TrainOptions& options, const data::Dataset& dataset);

// The options of the networks, with the number of classes.
step::GanOptions WithClasses(step::GanOptions options, const data::Classes& classes);

// The classes as a checkpoint stores them: [{"name", "images"}] in order.
nlohmann::json ToJson(const data::Classes& classes);

// Throws DataError naming the classes that differ, in name or order, from those of a checkpoint's state.
void RequireSameClasses(const nlohmann::json& state, const data::Classes& now, const std::filesystem::path& checkpoint);

}  // namespace gan::run
