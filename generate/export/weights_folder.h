#pragma once

#include <filesystem>

#include "generate/engine/load.h"

namespace gan::exporting {

// Writes generator.safetensors, samples.png, README.md (a model card) and, last, config.json into `folder`, which is
// created when absent. Existing files are replaced one by one. The tensors have PyTorch's names, "0.weight" and so on.
// A conditional generator also has class_embedding.weight; with one class it has the convolution of appended_class.h
// before the layers instead. Uses the caller's TBB arena. mark: samples.png says that it is generated. Throws IoError.
void WriteWeightsFolder(const std::filesystem::path& folder, const generate::TrainedGenerator& trained, bool mark);

}  // namespace gan::exporting
