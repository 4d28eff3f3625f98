#include "preprocess/inputs/archive.h"

#include <algorithm>
#include <array>
#include <utility>

#include "preprocess/inputs/archive_stream.h"
#include "storage/lower.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 20> kArchiveExtensions = {
    ".zip", ".7z",      ".tar",  ".tar.gz",  ".tgz",  ".taz", ".tar.xz", ".txz",      ".tar.bz2", ".tbz2",
    ".tbz", ".tar.zst", ".tzst", ".tar.lz4", ".tlz4", ".tz2", ".tar.lz", ".tar.lzma", ".tlz",     ".tar.z"};

}  // namespace

bool LooksLikeAnArchive(std::string_view name) {
  const std::string lower = storage::Lower(name);
  return std::any_of(kArchiveExtensions.begin(), kArchiveExtensions.end(),
                     [&](std::string_view e) { return lower.ends_with(e); });
}

ArchiveReader::ArchiveReader(fs::path path) : path_(std::move(path)) {}
ArchiveReader::~ArchiveReader() = default;

Contents ArchiveReader::Read(std::uint32_t position, std::uint64_t bytes) {
  try {
    // An archive can only be read forwards. Pictures are read in its order, so going back, which starts from the
    // beginning, is rare.
    if (!stream_ || stream_->next() > position) stream_ = std::make_unique<ArchiveStream>(path_);
    while (stream_->next() <= position) {
      if (!stream_->Advance()) throw Rejected(Reason::kUnreadable, "the archive has changed since it was listed");
    }
    return {.bytes = stream_->Contents(bytes)};
  } catch (...) {
    stream_.reset();  // start anew for the next picture
    throw;
  }
}

}  // namespace gan::preprocess
