#pragma once

#include <filesystem>
#include <string>

#include "checkpoint/checkpoint.h"
#include "trainer/step/gan.h"

namespace gan::run {

// Starts `gan` from the networks of a checkpoint of the same or a lower resolution: weights, statistics, moments and
// averages of the layers that are kept (model/growth.h), bit for bit. New layers begin with what the smaller networks
// did in their place where they can, else as they were initialised; their moments are 0. Throws UsageError when the
// networks do not fit, DataError when the checkpoint lacks a tensor.
void InitFrom(const checkpoint::Checkpoint& saved, step::Gan& gan);

// What --init-from names: a checkpoint's folder (InitFrom) or a file of weights (ImportWeights). A line for the log.
std::string StartFrom(const std::filesystem::path& source, step::Gan& gan);

}  // namespace gan::run
