// JSON from files, which may come from anybody: its depth and the memory that it takes follow from the file's size.
#pragma once

#include <filesystem>
#include <string_view>

#include <nlohmann/json.hpp>

namespace gan::storage {

// The library reads any depth without recursion, but copies, compares and prints what it has read by recursion.
inline constexpr int kMaxJsonDepth = 64;
// What values may take beyond the bytes of their text, in times of these, and how much may always be taken.
inline constexpr std::size_t kMaxJsonGrowth = 8;
inline constexpr std::size_t kJsonAllowance = std::size_t{1} << 20;

// Throws DataError naming `file` and the offset (counted from `offset`, where the text begins in it) when `text` is no
// JSON, is nested deeper than kMaxJsonDepth, or holds so many small values that they would take far more memory than
// the text. Nothing of it is kept.
void RequireModestJson(std::string_view text, const std::filesystem::path& file, std::uint64_t offset = 0);
// The same as an answer.
bool IsModestJson(std::string_view text);

// Json: nlohmann::json or nlohmann::ordered_json. Throws as above.
template <typename Json = nlohmann::json>
Json ParseJson(std::string_view text, const std::filesystem::path& file, std::uint64_t offset = 0) {
  RequireModestJson(text, file, offset);
  return Json::parse(text);
}

}  // namespace gan::storage
