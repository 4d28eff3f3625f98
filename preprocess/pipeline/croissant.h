// croissant.json: the description of a data set for programs that read the MLCommons Croissant format, version 1.0
// (https://docs.mlcommons.org/croissant/docs/croissant-spec.html).
#pragma once

#include <string>

#include "shard/manifest.h"

namespace gan::preprocess {

// The whole file. The owner may add licence, citation and date; without them a validator warns.
std::string CroissantOf(const shard::Manifest& manifest);

}  // namespace gan::preprocess
