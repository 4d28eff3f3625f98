#include <algorithm>

#include "storage/errors.h"
#include "storage/files.h"
#include "trainer/checkpoint/checkpoint.h"

namespace gan::checkpoint {

namespace fs = std::filesystem;

namespace {

struct Attempt {
  std::optional<Checkpoint> loaded;
  std::string why;  // it is damaged
};

Attempt TryLoad(const fs::path& folder) {
  try {
    return {Load(folder), ""};
  } catch (const DataError& error) {
    return {std::nullopt, error.what()};
  } catch (const IoError& error) {
    return {std::nullopt, error.what()};
  }
}

// The first rank's complaint, or nothing when every rank has read it well.
std::string FirstComplaint(const Ranks& ranks, const std::string& mine) {
  for (const std::string& why : ranks.all_gather(mine)) {
    if (!why.empty()) return why;
  }
  return "";
}

}  // namespace

std::optional<Checkpoint> LoadNewest(const fs::path& root, const Ranks& ranks,
                                     const std::function<void(const std::string&)>& warn) {
  while (true) {
    std::string choice;
    if (ranks.rank == 0) {
      const std::vector<fs::path> found = ListCheckpoints(root);
      if (!found.empty()) choice = found.front().string();
    }
    choice = ranks.all_gather(choice).front();
    if (choice.empty()) return std::nullopt;
    Attempt attempt = TryLoad(choice);
    const std::string complaint = FirstComplaint(ranks, attempt.why);
    if (complaint.empty()) return std::move(attempt.loaded);
    if (ranks.rank == 0) {
      const fs::path aside = storage::FreeName(choice + ".damaged");
      fs::rename(choice, aside);
      warn(complaint + "; set aside as " + aside.filename().string() + ", trying the one before");
    }
    ranks.all_gather("");  // nobody lists the folder before the rename is done
  }
}

}  // namespace gan::checkpoint
