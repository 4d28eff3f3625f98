#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <utility>

#include "checkpoint/checkpoint.h"
#include "checkpoint/manifest.h"
#include "checkpoint/part_writer.h"
#include "checkpoint/safetensors.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::checkpoint {

namespace fs = std::filesystem;

namespace {

std::uint64_t TotalBytes(const std::vector<TensorView>& tensors) {
  std::uint64_t sum = 0;
  for (const TensorView& tensor : tensors) sum += tensor.data.size();
  return sum;
}

// A floating-point number is not finite exactly when all bits of its exponent are set. The test runs on blocks, so that
// the compiler can vectorise it.
template <typename Bits>
bool AllFinite(std::span<const std::byte> data, Bits exponent) {
  constexpr std::size_t kBlock = 1024;
  std::array<Bits, kBlock> block{};
  while (data.size() >= sizeof(Bits)) {
    const std::size_t count = std::min(kBlock, data.size() / sizeof(Bits));
    std::memcpy(block.data(), data.data(), count * sizeof(Bits));
    unsigned found = 0;
    for (std::size_t i = 0; i < count; ++i) found |= static_cast<unsigned>((block[i] & exponent) == exponent);
    if (found != 0) return false;
    data = data.subspan(count * sizeof(Bits));
  }
  return true;
}

// Integer types are always finite.
bool IsFinite(const TensorView& t) {
  if (t.dtype == "F32") return AllFinite<std::uint32_t>(t.data, 0x7F800000);
  if (t.dtype == "F64") return AllFinite<std::uint64_t>(t.data, 0x7FF0000000000000);
  if (t.dtype == "F16") return AllFinite<std::uint16_t>(t.data, 0x7C00);
  if (t.dtype == "BF16") return AllFinite<std::uint16_t>(t.data, 0x7F80);
  return true;
}

// The tensors that `writer` writes. Whole tensors are assigned in order of size, largest first, to the writer with the
// least data. Every rank computes the same assignment.
// The ranks of a save hold equal tensors, so any of them may write any tensor, and the writers share the bytes.
std::vector<TensorView> TensorsOfWriter(std::vector<TensorView> tensors, std::size_t writer, std::size_t writers) {
  // Stable, so that tensors of equal size keep the order of the list, which is the same on every rank.
  std::stable_sort(tensors.begin(), tensors.end(),
                   [](const TensorView& a, const TensorView& b) { return a.data.size() > b.data.size(); });
  std::vector<std::uint64_t> load(writers, 0);
  std::vector<TensorView> mine;
  for (TensorView& tensor : tensors) {
    const auto least = static_cast<std::size_t>(std::min_element(load.begin(), load.end()) - load.begin());
    load[least] += tensor.data.size();
    if (least == writer) mine.push_back(std::move(tensor));
  }
  // The order of the names makes the bytes of a part independent of the order of assignment.
  std::sort(mine.begin(), mine.end(), [](const TensorView& a, const TensorView& b) { return a.name < b.name; });
  return mine;
}

// A save needs 1.2 times its size, so that it does not fill the disk completely.
void RequireRoom(const fs::path& root, std::uint64_t bytes) {
  struct statvfs status = {};
  if (::statvfs(root.c_str(), &status) != 0) throw IoError(root, "statvfs", errno);
  const std::uint64_t room = std::uint64_t{status.f_bavail} * status.f_frsize;
  if (room / 6 * 5 < bytes)  // bytes > room / 1.2, without overflow
    throw IoError(root, "no room for a checkpoint of " + std::to_string(bytes) + " bytes in", ENOSPC);
}

// Writes one part file and returns its entry for the manifest.
Part WritePart(const fs::path& file, const std::vector<TensorView>& tensors) {
  PartWriter writer(file);
  const std::string header = EncodeHeader(tensors);
  writer.Write(std::as_bytes(std::span(header)));
  for (const TensorView& tensor : tensors) {
    // Tensors are put into row-major order here, on the thread of the save, and not while training waits for the
    // snapshot.
    if (tensor.settle) tensor.settle();
    writer.Write(tensor.data);
  }
  return writer.Finish();
}

// Does not replace an existing folder: two jobs that save the same step must not mix their files.
void RenameFolder(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno != EINVAL && errno != ENOSYS) throw IoError(to, "rename", errno);
  // This file system does not know the flag. rename(2) of a folder still fails when the target is not empty.
  if (::rename(from.c_str(), to.c_str()) != 0) throw IoError(to, "rename", errno);
}

// Collective. Runs `work` on this rank and sends the result to all ranks. When it fails on any rank, it throws on all
// of them. Returns the results of all ranks in rank order.
std::vector<std::string> Together(const RankGroup& ranks, const fs::path& root,
                                  const std::function<std::string()>& work) {
  std::string answer;
  std::exception_ptr error;
  try {
    answer = "+" + work();
  } catch (const std::exception& e) {
    error = std::current_exception();
    answer = std::string("-") + e.what();
  }
  // Reached on success and on failure alike. If a rank threw before, the others would wait in the exchange for ever.
  std::vector<std::string> answers = ranks.all_gather(answer);
  for (std::size_t rank = 0; rank < answers.size(); ++rank) {
    if (answers[rank].front() == '+') {
      answers[rank].erase(0, 1);
      continue;
    }
    // A rank that failed itself throws its own error, which is more informative than the failure of another rank.
    if (error) std::rethrow_exception(error);
    throw IoError(root, "save failed on rank " + std::to_string(rank) + " (" + answers[rank].substr(1) + ") in",
                  ECANCELED);
  }
  return answers;
}

// The others contribute an empty text and receive that of rank 0.
std::string OnRankZero(const RankGroup& ranks, const fs::path& root, const std::function<std::string()>& work) {
  return Together(ranks, root, [&] { return ranks.rank == 0 ? work() : std::string(); }).front();
}

// Removes the temporary folder when a save fails. The next start would remove it too, but the disk may be full now.
struct TemporaryFolder {
  fs::path path;
  bool owner = false;
  ~TemporaryFolder() {
    std::error_code ignored;  // the save is already failing; the next start removes what remains
    if (owner && !path.empty()) fs::remove_all(path, ignored);
  }
};

// Throws unless all ranks are at the same step, because parts of different steps would form a checkpoint that looks
// complete.
void RequireOnePlace(const std::vector<std::string>& places) {
  for (std::size_t rank = 1; rank < places.size(); ++rank) {
    if (places[rank] == places[0]) continue;
    throw RankError("rank " + std::to_string(rank) + " is at " + places[rank] + ", rank 0 at " + places[0] +
                    ": the ranks are not at the same step, and nothing is saved");
  }
}

// The entry of a part as text, which the ranks exchange.
std::string PartText(const Part& part) { return nlohmann::json({part.name, part.bytes, part.digest}).dump(); }

Part PartFromText(const std::string& text) {
  const auto j = nlohmann::json::parse(text);
  return {.name = j.at(0), .bytes = j.at(1), .digest = j.at(2)};
}

// A stray file, or a folder without a manifest, may have the name of the new checkpoint. Rename it instead of
// overwriting.
void SetStrayAside(const fs::path& target) {
  const bool taken = fs::exists(fs::symlink_status(target));
  if (taken && !fs::exists(target / kManifestName)) fs::rename(target, storage::FreeName(target.string() + ".stray"));
}

// The manifest is written last and the rename is atomic, so a checkpoint is either complete or absent.
void Publish(const fs::path& root, const fs::path& temporary, const Manifest& manifest) {
  // WriteFileAtomically also syncs the temporary folder, which makes the names of the parts durable before the commit.
  storage::WriteFileAtomically(temporary / kManifestName, EncodeManifest(manifest));
  const fs::path target = CheckpointFolderName(root, manifest.step);
  SetStrayAside(target);
  RenameFolder(temporary, target);  // this is the commit
  try {
    storage::SyncFolder(root);
  } catch (const IoError&) {
    ::rename(target.c_str(), temporary.c_str());  // it is unknown whether the rename is durable, so the save is undone
    throw;
  }
}

// A folder that only this process uses. A leftover of an earlier process with the same number is removed first.
fs::path MakeTemporary(const fs::path& root, std::uint64_t step) {
  fs::path folder = CheckpointFolderName(root, step).string() + ".tmp-" + std::to_string(::getpid());
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) throw IoError(folder, "remove", error.value());
  if (::mkdir(folder.c_str(), 0777) != 0) throw IoError(folder, "mkdir", errno);
  return folder;
}

}  // namespace

SaveResult Save(const fs::path& root, const SaveRequest& request, const RankGroup& ranks) {
  // The protocol (docs/checkpoint-format.md): all ranks check, rank 0 makes a temporary folder, the writers write and
  // sync their parts, rank 0 adds the manifest and renames the folder. Each step is an exchange, and an error of one
  // rank in any of them ends the save on all.
  const auto start = std::chrono::steady_clock::now();
  const std::uint64_t total = TotalBytes(request.tensors);
  // Every rank checks before any rank writes, so that a failed check costs no disk space.
  const std::vector<std::string> places = Together(ranks, root, [&] {
    for (const TensorView& tensor : request.tensors) {
      if (!IsFinite(tensor)) throw DataError(root, "not saved: tensor " + tensor.name + " is not finite");
    }
    RequireRoom(root, total);
    return "step " + std::to_string(request.step) + ", image " + std::to_string(request.images) + ", of lineage " +
           request.lineage;
  });
  RequireOnePlace(places);

  // Rank 0 creates the folder and owns its removal; all ranks write into it.
  TemporaryFolder temporary;
  temporary.owner = ranks.rank == 0;
  temporary.path = OnRankZero(ranks, root, [&] { return MakeTemporary(root, request.step).string(); });

  // Few writers for a small checkpoint: many small files would be slower than one.
  const std::uint64_t wanted =
      std::max<std::uint64_t>(1, (total + request.bytes_per_writer - 1) / request.bytes_per_writer);
  const auto writers =
      static_cast<std::size_t>(std::min<std::uint64_t>(wanted, static_cast<std::uint64_t>(ranks.size)));
  const auto writer = static_cast<std::size_t>(ranks.rank);
  const std::vector<std::string> answers = Together(ranks, root, [&]() -> std::string {
    if (writer >= writers) return "";
    return PartText(
        WritePart(temporary.path / PartFileName(writer, writers), TensorsOfWriter(request.tensors, writer, writers)));
  });

  // Rank 0 publishes this manifest; the other ranks need the sizes in it.
  Manifest manifest{
      .step = request.step, .images = request.images, .lineage = request.lineage, .state = request.state, .parts = {}};
  SaveResult result;
  for (std::size_t i = 0; i < writers; ++i) {
    manifest.parts.push_back(PartFromText(answers[i]));
    result.bytes += manifest.parts.back().bytes;
  }
  OnRankZero(ranks, root, [&] {
    request.before_commit();
    Publish(root, temporary.path, manifest);
    return std::string();
  });
  temporary.path.clear();  // published: nothing to remove
  result.folder = CheckpointFolderName(root, request.step);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace gan::checkpoint
