#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace gan::generate {

struct NumberArray {
  std::vector<std::int64_t> shape;
  std::vector<float> values;  // row-major
};

// NumPy's .npy format, versions 1 to 3 (numpy.lib.format), little-endian float32 or float64 in C order. Throws
// DataError naming file and offset.
NumberArray ReadNpy(const std::filesystem::path& file);

// The header of a float32 array in C order, format version 1.
std::string NpyHeader(const std::vector<std::size_t>& shape);

// Writes a float32 array in C order. The file is complete or absent. Throws IoError.
void WriteNpy(const std::filesystem::path& file, const std::vector<std::size_t>& shape, std::span<const float> values);

}  // namespace gan::generate
