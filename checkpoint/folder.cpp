#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <set>

#include "checkpoint/checkpoint.h"
#include "checkpoint/manifest.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::checkpoint {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "step-";
constexpr std::uint64_t kFewest = 2;  // Prune always keeps this many, because the newest may turn out to be damaged

// The names of folders: "step-00000200" is a checkpoint; ".tmp-PID" behind it, a save in progress; ".deleted-0", a
// deletion in progress; ".damaged", ".abandoned-LINEAGE" and ".stray" are kept for the user. Only the first kind is
// ever loaded.

// Whether `name` belongs to a save or a deletion that was killed before it was complete.
bool IsLeftover(const std::string& name) {
  return name.starts_with(kPrefix) &&
         (name.find(".tmp-") != std::string::npos || name.find(".deleted-") != std::string::npos);
}

void Rename(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) throw IoError(from, "rename", error.value());
}

// The lineage in the manifest, which becomes part of a folder name; hence only hexadecimal digits are accepted. A
// manifest that cannot be read for an I/O reason is an error, because the next attempt may be able to read it.
std::string LineageOf(const fs::path& folder) {
  try {
    std::string lineage = ReadManifest(folder).lineage;
    if (!lineage.empty() && std::ranges::all_of(lineage, [](unsigned char c) { return std::isxdigit(c) != 0; }))
      return lineage;
  } catch (const DataError&) {  // damaged: renamed nevertheless
  }
  return "unknown";
}

bool IsCheckpoint(const fs::path& path) {
  return TypeOf(path) == fs::file_type::directory && TypeOf(path / kManifestName) != fs::file_type::not_found;
}

// Removes from `superfluous` what later checkpoints need. Both lists begin with the newest one. Whatever is older than
// all of `superfluous` can need none of it, so its manifest is not read: a long run may keep hundreds.
void KeepWhatIsNeeded(const fs::path& root, const Retention& retention, std::vector<fs::path>& superfluous) {
  const std::set<fs::path> left_out(superfluous.begin(), superfluous.end());
  const fs::path oldest = superfluous.back();
  for (const fs::path& kept : ListCheckpoints(root)) {
    if (kept == oldest) return;
    if (left_out.contains(kept)) continue;
    if (const auto step = retention.needed_by(kept)) std::erase(superfluous, CheckpointFolderName(root, *step));
  }
}

// The checkpoints that `retention` does not keep.
std::vector<fs::path> Superfluous(const fs::path& root, const Retention& retention) {
  std::vector<fs::path> all = ListCheckpoints(root);
  // The best one is taken out first, so that it does not count among the last ones that stay.
  if (retention.best) std::erase(all, CheckpointFolderName(root, *retention.best));
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(
                                           std::min<std::uint64_t>(std::max(retention.last, kFewest), all.size())));
  std::erase_if(all, [&](const fs::path& folder) {
    const std::uint64_t step = *ParseCheckpointFolderName(folder.filename().string());
    return retention.every > 0 && step % retention.every == 0;
  });
  if (!all.empty() && retention.needed_by) KeepWhatIsNeeded(root, retention, all);
  return all;
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
  // Only the spelling that CheckpointFolderName produces counts, so that no two names mean the same step.
  return CheckpointFolderName("", step).string() == name ? std::optional(step) : std::nullopt;
}

std::vector<fs::path> ListCheckpoints(const fs::path& root) {
  std::vector<std::pair<std::uint64_t, fs::path>> found;
  std::error_code error;
  for (fs::directory_iterator entry(root, error), end; entry != end; entry.increment(error)) {
    const auto step = ParseCheckpointFolderName(entry->path().filename().string());
    if (step && IsCheckpoint(entry->path())) found.emplace_back(*step, entry->path());
  }
  // A run that has saved nothing yet has no such folder.
  const bool absent = error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
  if (error && !absent) throw IoError(root, "list", error.value());
  // By the number and not by the name: from step 100,000,000 on the name has a digit more.
  std::sort(found.rbegin(), found.rend());
  std::vector<fs::path> newest_first;
  newest_first.reserve(found.size());
  for (auto& [step, path] : found) newest_first.push_back(std::move(path));
  return newest_first;
}

void RemoveLeftovers(const fs::path& root) {
  // Collected first, because removing entries while iterating over the folder is not portable.
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (IsLeftover(entry.path().filename().string())) leftovers.push_back(entry.path());
  }
  for (const fs::path& path : leftovers) fs::remove_all(path);
}

std::vector<std::string> Prune(const fs::path& root, const Retention& retention) {
  // A save that has succeeded must not fail because an old checkpoint cannot be deleted, so errors are collected here.
  std::vector<std::string> failures;
  const auto attempt = [&](const auto& work) {
    try {
      work();
      return true;
    } catch (const std::exception& error) {
      failures.emplace_back(error.what());
      return false;
    }
  };
  std::vector<fs::path> superfluous, doomed;
  attempt([&] { superfluous = Superfluous(root, retention); });
  for (const fs::path& folder : superfluous) {
    attempt([&] {
      // Rename before deleting, and make the renames durable first: a partly deleted folder must never look like a
      // checkpoint.
      const fs::path name = storage::FreeName(folder.string() + ".deleted-0");
      Rename(folder, name);
      doomed.push_back(name);
    });
  }
  // When the renames may not be durable, nothing is deleted: after a power cut the old names could return without their
  // files.
  if (doomed.empty() || !attempt([&] { storage::SyncFolder(root); })) return failures;
  for (const fs::path& folder : doomed) attempt([&] { fs::remove_all(folder); });
  return failures;
}

void SetLaterAside(const fs::path& root, std::uint64_t step) {
  std::vector<std::pair<fs::path, fs::path>> renames;
  // ListCheckpoints returns the newest first, so the first one that is old enough ends the search.
  for (const fs::path& folder : ListCheckpoints(root)) {
    if (*ParseCheckpointFolderName(folder.filename().string()) <= step) break;
    renames.emplace_back(folder, storage::FreeName(folder.string() + ".abandoned-" + LineageOf(folder)));
  }
  // All names are determined before the first rename, so a manifest that cannot be read leaves the folder as it was.
  // The renames go from the newest to the oldest: if the process is killed between two of them, what remains is still
  // one unbroken history.
  for (const auto& [from, to] : renames) Rename(from, to);
  storage::SyncFolder(root);
}

}  // namespace gan::checkpoint
