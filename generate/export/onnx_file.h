#pragma once

#include <filesystem>

#include "generate/engine/load.h"

namespace gan::exporting {

// Writes the generator as an ONNX model (opset 15, IR 8; onnx.ai): input "latent" float [N, noise_dim, 1, 1], output
// "images" float [N, 3, side, side] in [-1, 1], N free; a generator with several classes also has the input "class"
// int64 [N], a position in config.json's list of classes; parameters under PyTorch's names. Throws IoError.
void WriteOnnx(const std::filesystem::path& file, const generate::TrainedGenerator& trained);

}  // namespace gan::exporting
