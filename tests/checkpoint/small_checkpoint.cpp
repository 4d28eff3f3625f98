#include "tests/checkpoint/small_checkpoint.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "checkpoint/safetensors.h"

namespace gan::checkpoint {

namespace fs = std::filesystem;

SaveRequest SmallRequest(std::uint64_t step) {
  static const std::array<float, 6> kWeight = {1, 2, 3, 4, 5, 6};
  static const std::array<std::int64_t, 1> kCount = {7};
  return {.step = step,
          .images = step * 32,
          .lineage = "a",
          .state = {{"seed", 1}},
          .tensors = {{"d.weight", "F32", {2, 3}, std::as_bytes(std::span(kWeight))},
                      {"g.count", "I64", {}, std::as_bytes(std::span(kCount))}}};
}

fs::path WriteSmallCheckpoint(const fs::path& root, std::uint64_t step) {
  return Save(root, SmallRequest(step), RankGroup{}).folder;
}

std::vector<fs::path> FilesOf(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

void Overwrite(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
}

std::string Safetensors(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + std::string(data_bytes, '\0');
}

std::vector<TensorView> Decode(const std::string& file) {
  return DecodeSafetensors(std::as_bytes(std::span(file)), "part");
}

}  // namespace gan::checkpoint
