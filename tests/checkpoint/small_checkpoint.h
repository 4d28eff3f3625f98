// A checkpoint of two tensors whose bytes are known: "d.weight" F32 [2, 3] holds 1 to 6, "g.count" I64 [] holds 7.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace gan::checkpoint {

SaveRequest SmallRequest(std::uint64_t step);
std::filesystem::path WriteSmallCheckpoint(const std::filesystem::path& root, std::uint64_t step);
std::vector<std::filesystem::path> FilesOf(const std::filesystem::path& folder);  // sorted
void Overwrite(const std::filesystem::path& file, const std::string& text);       // as damage does: not atomically

// A safetensors file: the header's length, `header`, then `data_bytes` bytes.
std::string Safetensors(const std::string& header, std::size_t data_bytes);
std::vector<TensorView> Decode(const std::string& file);

}  // namespace gan::checkpoint
