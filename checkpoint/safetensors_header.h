// Parses the JSON header of a safetensors file value by value, without building a tree. The memory needed is therefore
// proportional to the header's length, whatever it contains.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gan::checkpoint {

inline constexpr std::size_t kMaxDimensions = 64;  // dimensions of a tensor; the limit of NumPy

struct HeaderEntry {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // of the tensor's bytes, relative to the end of the header
  std::uint64_t end = 0;
};

// Returns the entries sorted by name. `at`: the header's offset in the file. Throws DataError naming file and offset
// when the text is not a JSON object, a value has the wrong type, a number is not a non-negative integer, a name occurs
// twice, or the nesting exceeds storage::kMaxJsonDepth.
std::vector<HeaderEntry> ParseHeader(std::string_view header, const std::filesystem::path& file, std::uint64_t at);

}  // namespace gan::checkpoint
