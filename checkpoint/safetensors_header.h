// The JSON header of a safetensors file, read value by value: no tree of it is built, so a header takes memory in
// proportion to its text, whatever it holds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gan::checkpoint {

inline constexpr std::size_t kMaxDimensions = 64;  // of a tensor, as NumPy

struct HeaderEntry {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // of its bytes, counted from the end of the header
  std::uint64_t end = 0;
};

// By ascending name. `at`: where the header begins in the file. Throws DataError naming file and offset: no JSON
// object, values of a wrong kind, numbers that are no counts, a name that stands twice, nesting beyond
// storage::kMaxJsonDepth.
std::vector<HeaderEntry> ParseHeader(std::string_view header, const std::filesystem::path& file, std::uint64_t at);

}  // namespace gan::checkpoint
