#include "trainer/run/run_folder.h"

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "storage/errors.h"
#include "trainer/run/agree.h"

namespace gan::run {

namespace fs = std::filesystem;

namespace {

std::string Padded(std::uint64_t number, int width) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*llu", width, static_cast<unsigned long long>(number));
  return text;
}

// runs/00000, runs/00001 and so on: the first number that no other job has used.
fs::path MakeNumberedFolder(const fs::path& root) {
  storage::MakeFolders(root);
  for (std::uint64_t number = 0;; ++number) {
    const fs::path folder = root / Padded(number, 5);
    // mkdir decides between two jobs that check at the same time: only one of them has created the folder.
    if (storage::MakeFolders(folder)) return folder;
  }
}

fs::path MakeFolder(const TrainOptions& options) {
  if (options.run.empty()) return MakeNumberedFolder(options.run_root);
  if (fs::exists(options.run) && !fs::is_directory(options.run)) {
    throw UsageError("--run " + options.run.string() + " is a file, not a folder");
  }
  storage::MakeFolders(options.run);
  return options.run;
}

void RemoveLeftovers(const fs::path& folder) {
  storage::RemoveTemporaries(folder);
  const fs::path checkpoints = RunFolder::CheckpointsOf(folder);
  // A link would let this run delete or rename checkpoints outside of its folder.
  if (fs::is_symlink(checkpoints)) {
    throw UsageError(
        checkpoints.string() +
        " is a symbolic link, which a run folder may not contain; use a --run on that file system instead");
  }
  storage::MakeFolders(checkpoints);
  checkpoint::RemoveLeftovers(checkpoints);
}

// Whether this rank reads the token that rank 0 wrote. The content counts, because the file's name may be left from a
// killed job. A folder that cannot be read is a separate error, since it may still be the same folder.
bool Reads(const fs::path& probe, const std::string& token) {
  return fs::exists(probe) && storage::ReadFile(probe, 1024) == token;
}

// Every rank must read the token that rank 0 has just written; otherwise ranks would write into different folders.
void RequireShared(const fs::path& folder, distributed::Communicator& control) {
  const fs::path probe = folder / control.Broadcast(".probe-" + std::to_string(::getpid()));
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const std::string token = control.Broadcast(std::to_string(::getpid()) + " " + std::to_string(now) + "\n");
  OnRankZero(control, [&] { storage::WriteFileAtomically(probe, token); });
  bool seen = false;
  OnAllRanks(control, [&] { seen = Reads(probe, token); });
  const bool all_see = control.AllAgree(seen);
  OnRankZero(control, [&] {
    fs::remove(probe);
    if (all_see) return;
    throw UsageError("the run folder " + folder.string() + " is not shared by all hosts; use a shared file system");
  });
}

// The prefixes of the names of grids.
constexpr std::string_view kFakes = "fakes-", kNearest = "nearest-";

std::string GridName(std::string_view prefix, std::uint64_t step) {
  return std::string(prefix) + Padded(step, 8) + ".png";
}

// The number in "<prefix>NUMBER.png"; empty for any other name.
std::optional<std::uint64_t> StepOfGrid(std::string_view prefix, std::string_view name) {
  constexpr std::string_view kSuffix = ".png";
  if (!name.starts_with(prefix) || !name.ends_with(kSuffix)) return std::nullopt;
  std::uint64_t step = 0;
  const char* end = name.data() + name.size() - kSuffix.size();
  const auto [stop, error] = std::from_chars(name.data() + prefix.size(), end, step);
  return error == std::errc() && stop == end ? std::optional(step) : std::nullopt;
}

}  // namespace

RunFolder RunFolder::Open(const TrainOptions& options, distributed::Communicator& control) {
  RunFolder folder;
  std::string chosen, absolute;
  OnRankZero(control, [&] {
    chosen = MakeFolder(options).string();
    absolute = fs::absolute(chosen).string();
    folder.lock_ = std::make_unique<storage::FolderLock>(chosen);
    // With the lock held, because another job's unfinished files look the same.
    RemoveLeftovers(chosen);
  });
  // A relative path is resolved on rank 0, because ranks on other hosts may have another working folder.
  absolute = control.Broadcast(absolute);
  folder.path_ = control.rank() == 0 ? chosen : absolute;
  RequireShared(folder.path_, control);
  return folder;
}

fs::path RunFolder::Fakes(std::uint64_t step) const { return path_ / GridName(kFakes, step); }
fs::path RunFolder::Nearest(std::uint64_t step) const { return path_ / GridName(kNearest, step); }

void RunFolder::SetLaterGridsAside(std::uint64_t step, const std::string& lineage) const {
  std::vector<fs::path> later;
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    for (const std::string_view prefix : {kFakes, kNearest}) {
      const auto of_step = StepOfGrid(prefix, name);
      // Only names that this class produces: other files belong to the user.
      if (of_step && *of_step > step && GridName(prefix, *of_step) == name) later.push_back(entry.path());
    }
  }
  for (const fs::path& grid : later) fs::rename(grid, storage::FreeName(grid.string() + ".abandoned-" + lineage));
}

}  // namespace gan::run
