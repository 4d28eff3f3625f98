// JSON from untrusted files: the depth is limited, and the memory needed is proportional to the file's size.
#pragma once

#include <filesystem>
#include <string_view>

#include <nlohmann/json.hpp>

namespace gan::storage {

// The JSON library parses any depth without recursion, but copies, compares and prints values recursively.
inline constexpr int kMaxJsonDepth = 64;
// Limits of the memory of parsed values: kMaxJsonGrowth times the length of the text, plus kJsonAllowance bytes.
inline constexpr std::size_t kMaxJsonGrowth = 8;
inline constexpr std::size_t kJsonAllowance = std::size_t{1} << 20;

// Throws DataError naming `file` and the offset when `text` is not JSON, is nested deeper than kMaxJsonDepth, or holds
// so many small values that they would need far more memory than the text. `offset` is the position of the text in the
// file. Keeps nothing in memory.
void RequireModestJson(std::string_view text, const std::filesystem::path& file, std::uint64_t offset = 0);
// Makes the same check and returns its result as a Boolean.
bool IsModestJson(std::string_view text);

// Json: nlohmann::json or nlohmann::ordered_json. Throws as above.
template <typename Json = nlohmann::json>
Json ParseJson(std::string_view text, const std::filesystem::path& file, std::uint64_t offset = 0) {
  RequireModestJson(text, file, offset);
  return Json::parse(text);
}

}  // namespace gan::storage
