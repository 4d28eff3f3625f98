#pragma once

#include <filesystem>
#include <string>

#include "checkpoint/checkpoint.h"
#include "trainer/step/gan.h"

namespace gan::run {

// Initialises `gan` with the networks of a checkpoint of the same or a lower resolution. The checkpoint may have no
// classes where `gan` has some; they then begin without effect. Layers that exist in both get
// their weights, statistics, moments and averages bit for bit. New layers continue the function of the smaller networks
// where possible (model/growth.h) and otherwise keep their random initialisation; their moments are 0. Throws
// UsageError when the networks do not match, DataError when the checkpoint lacks a tensor.
void InitFrom(const checkpoint::Checkpoint& saved, step::Gan& gan);

// Initialises `gan` with the value of --init-from: the folder of a checkpoint (InitFrom) or a file of weights
// (ImportWeights). Returns a line for the log.
std::string StartFrom(const std::filesystem::path& source, step::Gan& gan);

}  // namespace gan::run
