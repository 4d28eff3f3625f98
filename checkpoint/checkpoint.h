// Checkpoints: `checkpoints/step-XXXXXXXX/` with safetensors parts written side by side by several ranks and a manifest
// written last. The commit protocol is in docs/checkpoint-format.md. This layer knows bytes and names, not networks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "storage/errors.h"

namespace gan::checkpoint {

inline constexpr std::uint32_t kFormatVersion = 1;

// A newer program wrote the checkpoint: nothing is known to be wrong with it, so it is never set aside as damaged.
class NewerVersionError : public DataError {
 public:
  using DataError::DataError;
};

// The ranks cannot go on together: one could not read what it was asked to, or they have read or hold different things.
// The message names rank and host. Nothing is known about the content, and nothing was changed. Exit code 1: the next
// try may succeed.
class RankError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One tensor as bytes. dtype in safetensors' words: F64 F32 F16 BF16 I64 I32 U8 BOOL.
struct TensorView {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;  // row-major, little-endian; owned by the caller
  // Save calls it once before it writes `data`, on its own thread: until then the elements may lie in another order.
  std::function<void()> settle = {};
};

struct OwnedTensor {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> data;
};

// How the ranks of a job talk while saving and loading; the run gives an implementation over its own communicator.
struct Ranks {
  int rank = 0;
  int size = 1;
  std::function<std::vector<std::string>(const std::string&)> all_gather = [](const std::string& mine) {
    return std::vector<std::string>{mine};
  };
};

struct SaveRequest {
  std::uint64_t step = 0;
  std::uint64_t images = 0;         // cursor: real images consumed globally
  std::string lineage;              // id of this branch of history; changes after a rollback
  nlohmann::json state;             // small state: options, balance controller, widths, dataset digest, build facts
  std::vector<TensorView> tensors;  // the same list on every rank (replicated state); the ranks share the writing
  std::uint64_t bytes_per_writer = std::uint64_t{64} << 20;  // one more rank writes for each so many
  std::function<void()> before_commit = [] {};               // on rank 0: makes durable what the checkpoint relies on
};

struct SaveResult {
  std::filesystem::path folder;
  std::uint64_t bytes = 0;  // of all parts
  double seconds = 0;
};

struct Checkpoint {
  std::filesystem::path folder;
  std::uint64_t step = 0;
  std::uint64_t images = 0;
  std::string lineage;
  nlohmann::json state;
  std::string digest;  // of the manifest, which holds those of the parts
  std::vector<OwnedTensor> tensors;
};

// `root` is the run's checkpoints/ folder.
std::filesystem::path CheckpointFolderName(const std::filesystem::path& root, std::uint64_t step);
std::optional<std::uint64_t> ParseCheckpointFolderName(std::string_view name);

// Collective. Saves or changes nothing: on an error of any rank every rank throws (IoError on the one that failed,
// IoError naming it on the others), and the previous checkpoint stays. Refuses tensors that are not finite (DataError
// naming the tensor) and a disk without room for 1.2x the size; RankError when the ranks are not all at one step of one
// lineage.
SaveResult Save(const std::filesystem::path& root, const SaveRequest& request, const Ranks& ranks);

// Which checkpoints stay: a union. The newest two always do.
struct Retention {
  std::uint64_t last = 3;                  // the newest ones
  std::uint64_t every = 0;                 // those of steps that are multiples of it; 0: none
  std::optional<std::uint64_t> best = {};  // the one of this step
};

// Removes all other committed checkpoints, by rename, then delete. Rank 0 only. Never throws, because it follows a save
// that is good: what could not be removed stays until the next time and is returned in words.
std::vector<std::string> Prune(const std::filesystem::path& root, const Retention& retention);

// After a rollback to `step`: the later checkpoints are renamed to "<name>.abandoned-<their lineage>", with "-1" and so
// on where that is taken. Everything that must be read is read before the first rename. Rank 0 only. Throws IoError.
void SetLaterAside(const std::filesystem::path& root, std::uint64_t step);

// Removes leftovers of killed saves (step-*.tmp-*, *.deleted-*). Rank 0 only, while the run folder is locked.
void RemoveLeftovers(const std::filesystem::path& root);

// Committed checkpoints (with a manifest), newest first; symbolic links and whatever else lies there are passed over.
// None when `root` does not exist. Throws IoError: an unreadable folder must not look like an empty one.
std::vector<std::filesystem::path> ListCheckpoints(const std::filesystem::path& root);

// Reads and verifies one checkpoint: manifest, names, sizes, digests. Throws DataError naming file and offset where the
// content is wrong, NewerVersionError, and IoError or std::filesystem::filesystem_error where it could not be read.
Checkpoint Load(const std::filesystem::path& folder);
// The same checks without keeping the tensors, for gan-inspect.
void Verify(const std::filesystem::path& folder);

// Collective. Every rank loads `folder`, and all throw alike: DataError when the content is wrong on every rank,
// NewerVersionError when every rank says so, RankError when a rank could not read it or the ranks disagree.
Checkpoint LoadTogether(const std::filesystem::path& folder, const Ranks& ranks);

// Collective. The newest intact checkpoint under `root`, or nothing when none was ever committed. Those after it are
// damaged on every rank: they are renamed to "<name>.damaged" and reported through `warn` (on rank 0), but only once an
// older one has been loaded. All ranks throw alike, and nothing is renamed then: DataError when there are checkpoints
// and none is intact, NewerVersionError and RankError as LoadTogether.
std::optional<Checkpoint> LoadNewest(const std::filesystem::path& root, const Ranks& ranks,
                                     const std::function<void(const std::string&)>& warn);

}  // namespace gan::checkpoint
