#include "trainer/run/stats_lines.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <nlohmann/json.hpp>

#include "storage/errors.h"

namespace gan::run {

namespace {

constexpr std::uint64_t kBlock = std::uint64_t{1} << 20;
constexpr std::uint64_t kLongestLine = kBlock;  // lines of the trainer have about 1,000 bytes

}  // namespace

StatsLines::StatsLines(std::filesystem::path path, int descriptor, std::string step_name)
    : path_(std::move(path)), descriptor_(descriptor), step_name_(std::move(step_name)) {
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) throw IoError(path_, "stat", errno);
  size_ = static_cast<std::uint64_t>(status.st_size);
}

// pread does not change the file offset, which belongs to the writer.
void StatsLines::Read(std::uint64_t offset, std::string& into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = ::pread(descriptor_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw IoError(path_, "read", n == 0 ? EIO : errno);  // the file ended before its size
    done += static_cast<std::size_t>(n);
  }
}

// One block of the file is kept, because lines are searched byte by byte.
char StatsLines::At(std::uint64_t offset) {
  if (block_.empty() || offset < block_at_ || offset >= block_at_ + block_.size()) {
    block_.clear();  // stays empty if reading fails
    block_at_ = offset / kBlock * kBlock;
    std::string block(std::min(kBlock, size_ - block_at_), '\0');
    Read(block_at_, block);
    block_ = std::move(block);
  }
  return block_[offset - block_at_];
}

std::uint64_t StatsLines::BeginOf(std::uint64_t end) {
  std::uint64_t begin = end > 0 ? end - 1 : 0;  // skips the newline that ends this line
  while (begin > 0 && At(begin - 1) != '\n') --begin;
  return begin;
}

// Accepts any object with a step, so that lines of other versions are recognised.
std::optional<std::uint64_t> StatsLines::StepOf(std::uint64_t begin, std::uint64_t end) {
  // Limits the memory for a line of a damaged file.
  if (end - begin > kLongestLine) return std::nullopt;
  std::string line(end - begin, '\0');
  Read(begin, line);
  const auto record = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  const auto step = record.is_object() ? record.find(step_name_) : record.end();
  if (!record.is_object() || step == record.end() || !step->is_number_unsigned()) return std::nullopt;
  return step->get<std::uint64_t>();
}

// The length from a checkpoint is verified, because the user may have edited or replaced the file since.
bool StatsLines::EndsAt(std::uint64_t at, std::uint64_t last_step) {
  // The position must be the end of a line, and the lines around it must belong to the right steps.
  if (at > size_ || (at > 0 && At(at - 1) != '\n')) return false;
  if (at > 0) {
    const auto before = StepOf(BeginOf(at), at);
    if (!before || *before > last_step) return false;
  }
  std::uint64_t end = at;
  while (end < size_ && end - at < kLongestLine && At(end) != '\n') ++end;
  const auto after = StepOf(at, end);
  return !after || *after > last_step;
}

// Searches from the end, because a resumed run usually cuts only a few lines.
std::uint64_t StatsLines::EndOf(std::uint64_t last_step) {
  std::uint64_t end =
      size_ == 0 || At(size_ - 1) == '\n' ? size_ : BeginOf(size_);  // an incomplete last line does not count
  while (end > 0) {
    const std::uint64_t begin = BeginOf(end);
    const auto step = StepOf(begin, end);
    if (step && *step <= last_step) break;
    end = begin;
  }
  return end;
}

}  // namespace gan::run
