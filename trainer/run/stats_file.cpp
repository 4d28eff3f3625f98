#include "trainer/run/stats_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cli/log.h"
#include "storage/counted.h"
#include "storage/errors.h"
#include "trainer/run/stats_lines.h"

namespace gan::run {

StatsFile::StatsFile(const std::filesystem::path& path, std::uint64_t last_step, std::optional<std::uint64_t> bytes,
                     std::string step_name)
    : path_(path) {
  // O_APPEND makes every write go to the current end, also after the file was cut.
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (descriptor_ < 0) throw IoError(path, "open", errno);
  try {
    // The checkpoint knows the length of the file at its step, which avoids a search in a large file.
    StatsLines lines(path, descriptor_, std::move(step_name));
    written_ = bytes && lines.EndsAt(*bytes, last_step) ? *bytes : lines.EndOf(last_step);
    torn_ = written_ != lines.size();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

StatsFile::~StatsFile() {
  // The last attempt to write lines that are still kept.
  if (!kept_.empty()) WriteKept();
  if (kept_lines_ + lost_lines_ > 0) {
    cli::LogError(path_.string() + ": the last " + storage::Counted(kept_lines_ + lost_lines_, "line is", "lines are") +
                  " missing, because the disk had no room for them");
  }
  ::close(descriptor_);
}

// The file has been opened for appending, so truncating it is enough.
void StatsFile::Cut() {
  const std::lock_guard lock(mutex_);
  if (torn_ && ::ftruncate(descriptor_, static_cast<off_t>(written_)) != 0) throw IoError(path_, "truncate", errno);
  torn_ = false;
}

void StatsFile::Append(nlohmann::json record) {
  const std::lock_guard lock(mutex_);
  // The next line that is written states how many lines are missing before it.
  if (lost_lines_ > 0) record["lines_lost"] = lost_lines_;
  const std::string line = record.dump() + "\n";
  // A disk may be full for days, and memory must not fill up because of it.
  if (kept_.size() + line.size() > kMostKept) {
    if (lost_lines_++ == 0)
      cli::LogWarning(path_.string() + ": no further lines are kept in memory; they are only counted from now on");
  } else {
    kept_ += line;
    ++kept_lines_;
    lost_lines_ = 0;
  }
  WriteKept();
}

// A partly written line is removed, so that the file always consists of complete lines.
void StatsFile::WriteKept() {
  if (torn_ && ::ftruncate(descriptor_, static_cast<off_t>(written_)) != 0) return;
  torn_ = false;
  std::size_t done = 0;
  while (done < kept_.size()) {
    const ssize_t n = ::write(descriptor_, kept_.data() + done, kept_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      LogFailure(n == 0 ? ENOSPC : errno);
      break;
    }
    done += static_cast<std::size_t>(n);
  }
  const std::size_t whole = done == 0 ? 0 : kept_.rfind('\n', done - 1) + 1;  // npos + 1 is 0
  written_ += whole;
  kept_lines_ -=
      static_cast<std::uint64_t>(std::count(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(whole), '\n'));
  kept_.erase(0, whole);
  torn_ = done > whole && ::ftruncate(descriptor_, static_cast<off_t>(written_)) != 0;
  if (kept_.empty()) LogRecovery();
}

// Logged once per failure, not for every line.
void StatsFile::LogFailure(int error) {
  if (std::exchange(refused_, true)) return;
  cli::LogWarning(std::string(IoError(path_, "write", error).what()) +
                  "; training continues, and its lines are kept until there is room");
}

void StatsFile::LogRecovery() {
  if (std::exchange(refused_, false)) cli::LogInfo(path_.string() + " is written again");
}

void StatsFile::Sync() {
  // A checkpoint relies on the lines in the file. It does not wait for lines that are still in memory.
  const std::lock_guard lock(mutex_);
  WriteKept();
  if (::fsync(descriptor_) != 0) throw IoError(path_, "fsync", errno);
}

std::uint64_t StatsFile::bytes() const {
  const std::lock_guard lock(mutex_);
  return written_ + kept_.size();
}

}  // namespace gan::run
