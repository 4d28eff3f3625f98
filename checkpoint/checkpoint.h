// Checkpoints: folders `checkpoints/step-XXXXXXXX/` of safetensors parts, which several ranks write in parallel, and a
// manifest that is written last. docs/checkpoint-format.md describes the commit protocol. This layer handles bytes and
// names and knows nothing about networks.
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

// A newer program wrote the checkpoint. It may be intact, so it is never renamed as damaged.
class NewerVersionError : public DataError {
 public:
  using DataError::DataError;
};

// The ranks cannot continue together: a rank could not read its files, or the ranks read or hold different data. The
// message names the rank and its host. The content is not known to be damaged, and nothing was changed. Exit code 1:
// another attempt may succeed.
class RankError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One tensor as bytes. `dtype` is a type name of safetensors: F64 F32 F16 BF16 I64 I32 U8 BOOL.
struct TensorView {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;  // row-major, little-endian; owned by the caller
  // Save calls it once on its own thread before it writes `data`. Until then the elements may be in another memory
  // order.
  std::function<void()> settle = {};
};

struct OwnedTensor {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> data;
};

// How the ranks of a job exchange messages while saving and loading. The trainer implements it with its communicator.
struct RankGroup {
  int rank = 0;
  int size = 1;
  std::function<std::vector<std::string>(const std::string&)> all_gather = [](const std::string& mine) {
    return std::vector<std::string>{mine};
  };
};

struct SaveRequest {
  std::uint64_t step = 0;
  std::uint64_t images = 0;         // data cursor: real images consumed by all ranks
  std::string lineage;              // id of this branch of history; changes after a rollback
  nlohmann::json state;             // small state: options, balance controller, widths, dataset digest, build facts
  std::vector<TensorView> tensors;  // the same list on every rank (replicated state); the ranks share the writing
  std::uint64_t bytes_per_writer = std::uint64_t{64} << 20;  // one writing rank per this many bytes
  std::function<void()> before_commit = [] {
  };  // called on rank 0: makes the files durable that the checkpoint relies on
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
  std::string digest;  // of the manifest, which contains the digests of the parts
  std::vector<OwnedTensor> tensors;
};

// `root` is the run's checkpoints/ folder.
std::filesystem::path CheckpointFolderName(const std::filesystem::path& root, std::uint64_t step);
std::optional<std::uint64_t> ParseCheckpointFolderName(std::string_view name);

// Collective. Either all ranks save or nothing changes. When one rank fails, it throws IoError, every other rank throws
// an IoError that names it, and the previous checkpoint stays. Throws DataError naming the tensor when a value is not
// finite, IoError when the disk has less free space than 1.2 times the size, and RankError when the ranks are not all
// at the same step of the same lineage.
SaveResult Save(const std::filesystem::path& root, const SaveRequest& request, const RankGroup& ranks);

// Which checkpoints are kept: the union of the members. The newest two are always kept.
struct Retention {
  std::uint64_t last = 3;                  // the newest checkpoints
  std::uint64_t every = 0;                 // checkpoints whose step is a multiple of this number; 0: none
  std::optional<std::uint64_t> best = {};  // the checkpoint of this step
  // The step of an earlier checkpoint that the one in `folder` needs, if any: it stays as long as that one. Must not
  // throw.
  std::function<std::optional<std::uint64_t>(const std::filesystem::path& folder)> needed_by = {};
};

// Removes all other committed checkpoints: renames each, then deletes it. Call it on rank 0 only. It never throws,
// because it runs after a successful save. Whatever could not be removed stays until the next call and is described in
// the returned messages.
std::vector<std::string> Prune(const std::filesystem::path& root, const Retention& retention);

// After a rollback to `step`: renames the later checkpoints to "<name>.abandoned-<their lineage>", or with "-1", "-2"
// and so on appended when that name exists. All reading happens before the first rename. Call it on rank 0 only. Throws
// IoError.
void SetLaterAside(const std::filesystem::path& root, std::uint64_t step);

// Removes leftovers of killed saves (step-*.tmp-*, *.deleted-*). Rank 0 only, while the run folder is locked.
void RemoveLeftovers(const std::filesystem::path& root);

// Committed checkpoints (folders with a manifest), newest first. Symbolic links and other entries are ignored. Empty
// when `root` does not exist. Throws IoError when the folder cannot be read, because an unreadable folder must not look
// like an empty one.
std::vector<std::filesystem::path> ListCheckpoints(const std::filesystem::path& root);

// Reads and verifies one checkpoint: manifest, names, sizes, digests. Throws DataError naming file and offset where the
// content is wrong, NewerVersionError, and IoError or std::filesystem::filesystem_error where it could not be read.
Checkpoint Load(const std::filesystem::path& folder);
// Verifies a checkpoint in the same way without keeping the tensors, for gan-inspect.
void Verify(const std::filesystem::path& folder);

// Collective. Every rank loads `folder`, and all ranks throw the same kind of error: DataError when the content is
// damaged on every rank, NewerVersionError when every rank finds a newer version, RankError when a rank could not read
// the files or the ranks disagree.
Checkpoint LoadTogether(const std::filesystem::path& folder, const RankGroup& ranks);

// Collective. Returns the newest intact checkpoint under `root`, or nothing when none was ever committed. Newer
// checkpoints that are damaged on every rank are renamed to "<name>.damaged" and reported through `warn` on rank 0, but
// only after an older one has been loaded. All ranks throw the same kind of error, and then nothing is renamed:
// DataError when there are checkpoints but none is intact, otherwise as LoadTogether.
std::optional<Checkpoint> LoadNewest(const std::filesystem::path& root, const RankGroup& ranks,
                                     const std::function<void(const std::string&)>& warn);

}  // namespace gan::checkpoint
