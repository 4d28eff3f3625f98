#include <algorithm>
#include <charconv>
#include <cstdio>

#include "storage/files.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/manifest.h"

namespace gan::checkpoint {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "step-";
constexpr std::uint64_t kFewest = 2;  // never pruned below: the newest may turn out damaged

bool IsLeftover(const std::string& name) {
  return name.starts_with(kPrefix) &&
         (name.find(".tmp-") != std::string::npos || name.find(".deleted-") != std::string::npos);
}

}  // namespace

fs::path CheckpointFolderName(const fs::path& root, std::uint64_t step) {
  char name[32];
  std::snprintf(name, sizeof name, "step-%08llu", static_cast<unsigned long long>(step));
  return root / name;
}

std::optional<std::uint64_t> ParseCheckpointFolderName(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string_view digits = name.substr(kPrefix.size());
  std::uint64_t step = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return CheckpointFolderName("", step).string() == name ? std::optional(step) : std::nullopt;
}

std::vector<fs::path> ListCheckpoints(const fs::path& root) {
  std::vector<std::pair<std::uint64_t, fs::path>> found;
  if (!fs::is_directory(root)) return {};
  for (const auto& entry : fs::directory_iterator(root)) {
    const auto step = ParseCheckpointFolderName(entry.path().filename().string());
    if (step && fs::exists(entry.path() / kManifestName)) found.emplace_back(*step, entry.path());
  }
  std::sort(found.rbegin(), found.rend());
  std::vector<fs::path> newest_first;
  newest_first.reserve(found.size());
  for (auto& [step, path] : found) newest_first.push_back(std::move(path));
  return newest_first;
}

void RemoveLeftovers(const fs::path& root) {
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (IsLeftover(entry.path().filename().string())) leftovers.push_back(entry.path());
  }
  for (const fs::path& path : leftovers) fs::remove_all(path);
}

void Prune(const fs::path& root, std::uint64_t keep, std::optional<std::uint64_t> spared) {
  std::vector<fs::path> all = ListCheckpoints(root);
  if (spared) std::erase(all, CheckpointFolderName(root, *spared));
  for (std::size_t i = std::max(keep, kFewest); i < all.size(); ++i) {
    // Renamed first: a half-deleted folder must never look like a checkpoint.
    const fs::path doomed = all[i].string() + ".deleted-0";
    fs::rename(all[i], doomed);
    fs::remove_all(doomed);
  }
}

}  // namespace gan::checkpoint
