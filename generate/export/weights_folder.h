#pragma once

#include <filesystem>

#include "generate/engine/load.h"

namespace gan::exporting {

// Writes generator.safetensors (PyTorch's own names, "0.weight" …; of a conditional generator also
// class_embedding.weight, or with one class the convolution of appended_class.h before the layers), samples.png,
// README.md (a model card) and, last, config.json into `folder`, made when absent. What is there is replaced, file by
// file. Uses the caller's TBB arena. mark: samples.png says that it is generated. Throws IoError.
void WriteWeightsFolder(const std::filesystem::path& folder, const generate::TrainedGenerator& trained, bool mark);

}  // namespace gan::exporting
