#include "inspect/kind.h"

#include <string>

#include "checkpoint/checkpoint.h"
#include "monitoring/page/runs_table.h"
#include "shard/shard_format.h"
#include "storage/errors.h"

namespace gan::inspect {

namespace fs = std::filesystem;

namespace {

bool IsPart(const std::string& name) { return name.starts_with("part-") && name.ends_with(".safetensors"); }

template <typename Predicate>
bool AnyName(const fs::path& folder, const Predicate& predicate) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (predicate(entry.path().filename().string())) return true;
  }
  return false;
}

// The name of the folder; canonical, because "runs/1/" and "." have no filename of their own.
std::string NameOf(const fs::path& folder) { return fs::canonical(folder).filename().string(); }

// Any other file is treated as a shard, whose reader reports a file of another kind.
Kind KindOfFile(const std::string& ending) {
  if (ending == ".safetensors") return Kind::kTensorFile;
  return ending == ".png" || ending == ".webp" || ending == ".mp4" ? Kind::kPicture : Kind::kShard;
}

}  // namespace

// The content is not read here: a damaged file must be recognised as well.
Kind Recognise(const fs::path& path) {
  const fs::file_status status = fs::status(path);
  if (!fs::exists(status)) throw DataError(path, "no such file or folder");
  if (fs::is_regular_file(status)) return KindOfFile(path.extension().string());
  if (!fs::is_directory(status)) throw DataError(path, "is neither a file nor a folder");
  // A run comes first, because its folder may also contain folders of other kinds.
  if (fs::exists(path / "options.json") || fs::exists(path / "checkpoints")) return Kind::kRun;
  // A renamed checkpoint, such as "step-….damaged", is recognised by its parts.
  if (checkpoint::ParseCheckpointFolderName(NameOf(path)) || AnyName(path, IsPart)) return Kind::kCheckpoint;
  if (AnyName(path, checkpoint::ParseCheckpointFolderName)) return Kind::kCheckpoints;
  if (fs::exists(path / shard::kManifestName) || AnyName(path, shard::ParseShardFileName)) return Kind::kShardFolder;
  if (monitoring::HasRunFolders(path)) return Kind::kRuns;
  throw DataError(path, "is neither a shard folder nor a checkpoint nor a run");
}

}  // namespace gan::inspect
