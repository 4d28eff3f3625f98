#include "trainer/run/run_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>

#include "storage/errors.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/run/agree.h"

namespace gan::run {

namespace fs = std::filesystem;

namespace {

std::string Padded(std::uint64_t number, int width) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*llu", width, static_cast<unsigned long long>(number));
  return text;
}

// runs/00000, runs/00001, ...: the first number that no other job has taken.
fs::path MakeNumberedFolder(const fs::path& root) {
  storage::MakeFolders(root);
  for (std::uint64_t number = 0;; ++number) {
    const fs::path folder = root / Padded(number, 5);
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
  const fs::path checkpoints = folder / "checkpoints";
  if (fs::is_symlink(checkpoints)) {
    throw UsageError(checkpoints.string() +
                     " is a link, which a run folder does not follow; put the whole --run there");
  }
  storage::MakeFolders(checkpoints);
  checkpoint::RemoveLeftovers(checkpoints);
}

// Whether this rank reads what rank 0 wrote. The contents count: a name alone may be left from a job that was killed.
bool Reads(const fs::path& probe, const std::string& token) {
  try {
    return fs::exists(probe) && storage::ReadFile(probe, 1024) == token;
  } catch (const std::exception&) {
    return false;
  }
}

// Every rank must read the token that rank 0 has just written, else ranks would write into different folders.
void RequireShared(const fs::path& folder, distributed::Communicator& control) {
  const fs::path probe = folder / control.Broadcast(".probe-" + std::to_string(::getpid()));
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const std::string token = control.Broadcast(std::to_string(::getpid()) + " " + std::to_string(now) + "\n");
  OnRankZero(control, [&] { storage::WriteFileAtomically(probe, token); });
  const bool all_see = control.AllAgree(Reads(probe, token));
  OnRankZero(control, [&] {
    fs::remove(probe);
    if (all_see) return;
    throw UsageError("the run folder " + folder.string() + " is not shared by all hosts; use a shared file system");
  });
}

// The length of the part of stats.jsonl that holds whole lines of steps up to last_step.
std::size_t KeptBytes(const std::string& text, std::uint64_t last_step) {
  std::size_t kept = 0;
  while (true) {
    const std::size_t end = text.find('\n', kept);
    if (end == std::string::npos) return kept;
    const auto record = nlohmann::json::parse(text.substr(kept, end - kept), nullptr, /*allow_exceptions=*/false);
    const auto step = record.is_object() ? record.find("step") : record.end();
    if (!record.is_object() || step == record.end() || !step->is_number_unsigned()) return kept;
    if (step->get<std::uint64_t>() > last_step) return kept;
    kept = end + 1;
  }
}

}  // namespace

RunFolder RunFolder::Open(const TrainOptions& options, distributed::Communicator& control) {
  RunFolder folder;
  std::string chosen, absolute;
  OnRankZero(control, [&] {
    chosen = MakeFolder(options).string();
    absolute = fs::absolute(chosen).string();
    folder.lock_ = std::make_unique<storage::FolderLock>(chosen);
    RemoveLeftovers(chosen);
  });
  // A relative path means rank 0's folder, wherever another host's launcher put its ranks.
  absolute = control.Broadcast(absolute);
  folder.path_ = control.rank() == 0 ? chosen : absolute;
  RequireShared(folder.path_, control);
  return folder;
}

fs::path RunFolder::Fakes(std::uint64_t step) const { return path_ / ("fakes-" + Padded(step, 8) + ".png"); }

StatsFile::StatsFile(const fs::path& path, std::uint64_t last_step) : path_(path) {
  if (fs::exists(path)) {
    const std::string text = storage::ReadFile(path, std::uint64_t{1} << 36);
    const std::size_t kept = KeptBytes(text, last_step);
    if (kept != text.size()) storage::WriteFileAtomically(path, std::string_view(text).substr(0, kept));
  }
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (descriptor_ < 0) throw IoError(path, "open", errno);
}

StatsFile::~StatsFile() { ::close(descriptor_); }

void StatsFile::Append(const nlohmann::json& record) {
  const std::string line = record.dump() + "\n";
  std::size_t written = 0;
  while (written < line.size()) {
    const ssize_t n = ::write(descriptor_, line.data() + written, line.size() - written);
    if (n < 0 && errno != EINTR) throw IoError(path_, "write", errno);
    if (n > 0) written += static_cast<std::size_t>(n);
  }
}

void StatsFile::Sync() {
  if (::fsync(descriptor_) != 0) throw IoError(path_, "fsync", errno);
}

}  // namespace gan::run
