#include <sstream>
#include <utility>

#include "checkpoint/checkpoint.h"
#include "checkpoint/ranks.h"
#include "storage/counted.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::checkpoint {

namespace fs = std::filesystem;

namespace {

// A checkpoint that every rank found damaged, with the reason.
struct Damaged {
  fs::path folder;
  std::string why;
};

// The checkpoints that rank 0 sees, newest first. All ranks must try the same folders in the same order, and a network
// file system may show them different lists.
std::vector<fs::path> ListTogether(const fs::path& root, const RankGroup& ranks) {
  std::istringstream names(FromRankZero(ranks, [&] {
    std::string all;
    for (const fs::path& folder : ListCheckpoints(root)) all += folder.filename().string() + "\n";
    return all;
  }));
  std::vector<fs::path> folders;
  for (std::string name; std::getline(names, name);) folders.push_back(root / name);
  return folders;
}

// Whether the folder contains checkpoints that were renamed. Then an empty list does not mean that the run is new.
bool AnySetAside(const fs::path& root) {
  std::error_code error;
  for (fs::directory_iterator entry(root, error), end; entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with("step-")) continue;
    if (name.find(".damaged") != std::string::npos || name.find(".abandoned-") != std::string::npos) return true;
  }
  if (error && error != std::errc::no_such_file_or_directory) throw IoError(root, "list", error.value());
  return false;
}

// Rank 0 renames the damaged checkpoints; an error of it is thrown on every rank.
void SetAside(const std::vector<Damaged>& damaged, const RankGroup& ranks,
              const std::function<void(const std::string&)>& warn) {
  FromRankZero(ranks, [&] {
    for (const auto& [folder, why] : damaged) {
      const fs::path aside = storage::FreeName(folder.string() + ".damaged");
      fs::rename(folder, aside);
      warn(why + "; set aside as " + aside.filename().string() + "; an older checkpoint is used");
    }
    return std::string();
  });
}

constexpr const char* kWayOut =
    "; repair one of them, choose another --run, or remove this folder to start from scratch in the same run";

}  // namespace

// Renaming happens only after an older checkpoint was loaded: otherwise a fault of the file system that damages every
// checkpoint alike would rename them all.
std::optional<Checkpoint> LoadNewest(const fs::path& root, const RankGroup& ranks,
                                     const std::function<void(const std::string&)>& warn) {
  // A newer format ends the search with an error: otherwise an older checkpoint would be loaded, and training would
  // branch off unnoticed. Read errors (RankError, IoError) end the search as well, because another attempt may succeed.
  std::vector<Damaged> damaged;
  for (const fs::path& folder : ListTogether(root, ranks)) {
    try {
      Checkpoint loaded = LoadTogether(folder, ranks);
      if (!damaged.empty()) SetAside(damaged, ranks, warn);
      return loaded;
    } catch (const NewerVersionError&) {
      throw;
    } catch (const DataError& error) {
      damaged.push_back({folder, error.what()});
    }
  }
  if (!damaged.empty()) {
    throw DataError(root, "holds " + storage::Counted(damaged.size(), "checkpoint") + ", none of them intact (" +
                              damaged.front().why + "); nothing was changed" + kWayOut);
  }
  const bool set_aside = !FromRankZero(ranks, [&] { return std::string(AnySetAside(root) ? "yes" : ""); }).empty();
  if (set_aside) throw DataError(root, std::string("holds only checkpoints that were set aside") + kWayOut);
  return std::nullopt;
}

}  // namespace gan::checkpoint
