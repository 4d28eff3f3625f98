#include "preprocess/inputs/byte_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "preprocess/image/rejected.h"
#include "storage/errors.h"

namespace gan::preprocess {

ByteSource::~ByteSource() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::size_t ByteSource::ReadAt(std::uint64_t offset, std::span<std::byte> room) {
  if (origin_.kind == ByteOrigin::Kind::kPlain) return ReadPlain(offset, room);
  try {
    return ReadStream(offset, room);
  } catch (...) {
    stream_.reset();  // start anew for the next read
    throw;
  }
}

std::size_t ByteSource::ReadPlain(std::uint64_t offset, std::span<std::byte> room) {
  if (descriptor_ < 0) descriptor_ = ::open(origin_.file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) throw IoError(origin_.file, "open", errno);
  std::size_t done = 0;
  while (done < room.size()) {
    const ssize_t n = ::pread(descriptor_, room.data() + done, room.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw IoError(origin_.file, "read", errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

void ByteSource::Restart() {
  const bool is_member = origin_.kind == ByteOrigin::Kind::kMember;
  stream_.emplace(origin_.file, is_member ? ArchiveFormats::kArchives : ArchiveFormats::kRaw);
  const std::uint32_t position = is_member ? origin_.position : 0;
  while (stream_->next() <= position) {
    if (!stream_->Advance()) throw Rejected(Reason::kUnreadable, "the file has changed since it was listed");
  }
  at_ = 0;
}

std::size_t ByteSource::ReadStream(std::uint64_t offset, std::span<std::byte> room) {
  constexpr std::size_t kSkipped = std::size_t{1} << 16;
  // A stream goes forwards only. To go back, it is opened again, and the bytes before `offset` are unpacked and
  // dropped.
  if (!stream_ || at_ > offset) Restart();
  std::vector<std::byte> scratch(std::min<std::uint64_t>(kSkipped, offset - at_));
  while (at_ < offset) {
    const std::size_t n =
        stream_->ReadSome(std::span(scratch).first(std::min<std::uint64_t>(scratch.size(), offset - at_)));
    if (n == 0) return 0;
    at_ += n;
  }
  const std::size_t done = stream_->ReadSome(room);
  at_ += done;
  return done;
}

}  // namespace gan::preprocess
