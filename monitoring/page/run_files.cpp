#include "monitoring/page/run_files.h"

#include <algorithm>
#include <cstdio>

#include "storage/files.h"
#include "storage/parse_json.h"

namespace gan::monitoring {

namespace fs = std::filesystem;

namespace {

// Anybody may have written a run folder, so the size is limited before a file is read.
constexpr std::uint64_t kLargestJson = std::uint64_t{4} << 20;

}  // namespace

// symlink_status, not status: through a link the page would show any file of the user, and a pipe would block the
// server.
bool IsPlainFile(const fs::path& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type() == fs::file_type::regular;
}

std::optional<std::string> ReadPlainFile(const fs::path& path, std::uint64_t most_bytes) {
  if (!IsPlainFile(path)) return std::nullopt;
  try {
    return storage::ReadFile(path, most_bytes);
  } catch (const std::exception&) {
    return std::nullopt;  // removed meanwhile, or not readable
  }
}

nlohmann::json ReadRunJson(const fs::path& path) {
  const auto text = ReadPlainFile(path, kLargestJson);
  return text && storage::IsModestJson(*text) ? nlohmann::json::parse(*text) : nlohmann::json();
}

std::vector<std::uint64_t> StepsOfGrids(const fs::path& run, std::string_view kind) {
  std::vector<std::uint64_t> steps;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run, error)) {
    const auto step = ParseGridName(entry.path().filename().string(), kind);
    if (step && IsPlainFile(entry.path())) steps.push_back(*step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

std::string GridName(std::uint64_t step, std::string_view kind) {
  // With leading zeros, so that a listing by name is one by step.
  char name[40];
  std::snprintf(name, sizeof name, "%08llu.png", static_cast<unsigned long long>(step));
  return std::string(kind) + name;
}

std::optional<std::uint64_t> ParseGridName(std::string_view name, std::string_view kind) {
  constexpr std::string_view kSuffix = ".png";
  if (!name.starts_with(kind) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(kind.size());
  name.remove_suffix(std::min(name.size(), kSuffix.size()));
  // At least eight digits, and few enough for 64 bits.
  if (name.size() < 8 || name.size() > 18) return std::nullopt;
  if (name.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return std::stoull(std::string(name));
}

std::vector<std::uint64_t> Spread(const std::vector<std::uint64_t>& steps, std::size_t most) {
  if (steps.size() <= most) return steps;
  std::vector<std::uint64_t> chosen;
  chosen.reserve(most);
  for (std::size_t i = 0; i < most; ++i) chosen.push_back(steps[i * (steps.size() - 1) / (most - 1)]);
  return chosen;
}

double UnixSeconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace gan::monitoring
