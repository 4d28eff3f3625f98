// Reads the files of a run folder that other processes may be writing, or may have damaged.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace gan::monitoring {

// Symbolic links do not count, because a page must show files of the run folder only.
bool IsPlainFile(const std::filesystem::path& path);
// Nothing when the file is missing, a link, too large or unreadable.
std::optional<std::string> ReadPlainFile(const std::filesystem::path& path, std::uint64_t most_bytes);
// Null when the file is missing, not JSON, or beyond the limits of storage/parse_json.h.
nlohmann::json ReadRunJson(const std::filesystem::path& path);

// The prefixes of grids: generated images, or generated images beside the nearest training images.
inline constexpr std::string_view kFakes = "fakes-", kNearest = "nearest-";
// The steps of the grids in a run folder, ascending; links are left out.
std::vector<std::uint64_t> StepsOfGrids(const std::filesystem::path& run, std::string_view kind = kFakes);
std::string GridName(std::uint64_t step, std::string_view kind = kFakes);  // "fakes-00000042.png"
// The step in such a name. Accepts only names that GridName() can produce, because `name` may come from a client.
std::optional<std::uint64_t> ParseGridName(std::string_view name, std::string_view kind = kFakes);
inline constexpr std::string_view kRealsName = "reals.png";

// At most `most` of the steps, evenly spaced, with the first and the last among them. `most` must be at least 2.
std::vector<std::uint64_t> Spread(const std::vector<std::uint64_t>& steps, std::size_t most);

double UnixSeconds(std::chrono::system_clock::time_point time);
inline double UnixSecondsNow() { return UnixSeconds(std::chrono::system_clock::now()); }

}  // namespace gan::monitoring
