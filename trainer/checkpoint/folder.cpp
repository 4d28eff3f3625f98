#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>

#include "storage/errors.h"
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

void Rename(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) throw IoError(from, "rename", error.value());
}

// As its manifest says; it becomes part of a name.
std::string LineageOf(const fs::path& folder) {
  try {
    std::string lineage = ReadManifest(folder).lineage;
    if (!lineage.empty() && std::ranges::all_of(lineage, [](unsigned char c) { return std::isxdigit(c) != 0; }))
      return lineage;
  } catch (const DataError&) {  // damaged: set aside all the same
  } catch (const IoError&) {
  }
  return "unknown";
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
    if (step && !entry.is_symlink() && fs::exists(entry.path() / kManifestName))
      found.emplace_back(*step, entry.path());
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

void Prune(const fs::path& root, const Retention& retention) {
  std::vector<fs::path> all = ListCheckpoints(root);
  if (retention.best) std::erase(all, CheckpointFolderName(root, *retention.best));
  std::vector<fs::path> doomed;
  for (std::size_t i = std::max(retention.last, kFewest); i < all.size(); ++i) {
    const std::uint64_t step = *ParseCheckpointFolderName(all[i].filename().string());
    if (retention.every > 0 && step % retention.every == 0) continue;
    // Renamed first, and that on the disk: a half-deleted folder must never look like a checkpoint.
    doomed.emplace_back(all[i].string() + ".deleted-0");
    Rename(all[i], doomed.back());
  }
  if (!doomed.empty()) storage::SyncFolder(root);
  for (const fs::path& folder : doomed) {
    std::error_code error;
    fs::remove_all(folder, error);
    if (error) throw IoError(folder, "remove", error.value());
  }
}

void SetLaterAside(const fs::path& root, std::uint64_t step) {
  for (const fs::path& folder : ListCheckpoints(root)) {
    if (*ParseCheckpointFolderName(folder.filename().string()) <= step) break;
    Rename(folder, storage::FreeName(folder.string() + ".abandoned-" + LineageOf(folder)));
  }
  storage::SyncFolder(root);
}

}  // namespace gan::checkpoint
