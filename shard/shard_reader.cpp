#include "shard/shard_reader.h"

#include "shard/little_endian.h"
#include "shard/shard_format.h"
#include "storage/checksum.h"
#include "storage/counted.h"
#include "storage/errors.h"

namespace gan::shard {

namespace {

// Checks the header's sizes against the file's length. Uses division and subtraction, so that no hostile number can
// overflow.
void RequireExactSize(const Header& header, std::uint64_t file_bytes, const std::filesystem::path& file) {
  // DecodeHeader has made sure that the file is longer than its header and that image_size is in range, so neither the
  // subtraction nor the product can wrap around.
  const std::uint64_t record_bytes = RecordBytes(header.image_size);
  const std::uint64_t room = (file_bytes - kHeaderBytes) / record_bytes;
  if (header.records > room || header.footer_offset != kHeaderBytes + header.records * record_bytes) {
    throw DataError(file, file_bytes, "is too short for its " + storage::Counted(header.records, "record"));
  }
  if (header.footer_bytes != file_bytes - header.footer_offset) {
    throw DataError(file, file_bytes, "has a length that differs from its header");
  }
  if (header.footer_bytes / kIndexEntryBytes < header.records) {
    throw DataError(file, header.footer_offset, "the index is too short");
  }
}

}  // namespace

ShardReader::ShardReader(const std::filesystem::path& path) : file_(path) {
  try {
    Open();
  } catch (const DataError&) {
    file_.RequireRead();  // unreadable pages are read as zeros and would look like damage
    throw;
  }
}

void ShardReader::Open() {
  const std::span<const std::byte> bytes = file_.bytes();
  const Header header = DecodeHeader(bytes, path());
  RequireExactSize(header, bytes.size(), path());
  footer_ = bytes.subspan(header.footer_offset);
  // Records are not checked here: that would read the whole data set at the start. The loader checks each one when it
  // is used.
  footer_crc32c_ = header.footer_crc32c;
  RequireFooter();
  number_ = header.number;
  image_size_ = header.image_size;
  record_count_ = static_cast<std::size_t>(header.records);
  index_ = footer_.first(record_count_ * kIndexEntryBytes);
  names_ = footer_.subspan(index_.size());
}

// Called again when pages became unreadable later, because a lost page of the index would give wrong names and labels.
void ShardReader::RequireFooter() const {
  if (storage::Crc32c(footer_) == footer_crc32c_) return;
  throw DataError(path(), static_cast<std::uint64_t>(footer_.data() - file_.bytes().data()),
                  lost_pages() > 0 ? "the index can no longer be read" : "the index does not match its checksum");
}

std::uint64_t ShardReader::record_bytes() const { return RecordBytes(image_size_); }

// Records have a fixed size and are contiguous, so no index is needed to find one.
std::span<const std::byte> ShardReader::Record(std::size_t i) const {
  return file_.bytes().subspan(kHeaderBytes + i * record_bytes(), record_bytes());
}

// Entries have fixed offsets; see the table in docs/shard-format.md.
RecordInfo ShardReader::Info(std::size_t i) const {
  const std::byte* entry = &index_[i * kIndexEntryBytes];
  const auto offset = Load<std::uint64_t>(entry + 16);
  const auto length = Load<std::uint32_t>(entry + 24);
  // The checksum of the footer does not protect against a hostile writer, so offsets are checked.
  if (offset > names_.size() || length > names_.size() - offset) {
    throw DataError(path(), static_cast<std::uint64_t>(entry - file_.bytes().data()), "a name lies outside the index");
  }
  const auto* name = reinterpret_cast<const char*>(names_.data() + offset);
  RecordInfo info = {.crc32c = RecordCrc32c(i),
                     .label = Load<std::uint32_t>(entry + 4),
                     .input = Load<std::uint64_t>(entry + 8),
                     .source = std::string(name, length)};
  if (lost_pages() > 0) RequireFooter();
  return info;
}

std::uint32_t ShardReader::RecordCrc32c(std::size_t i) const {
  return Load<std::uint32_t>(&index_[i * kIndexEntryBytes]);
}

// The checksum of the footer does not protect against a hostile writer, so the label is checked.
std::uint32_t ShardReader::RecordLabel(std::size_t i, std::size_t count) const {
  const std::byte* entry = &index_[i * kIndexEntryBytes];
  const auto label = Load<std::uint32_t>(entry + 4);
  if (lost_pages() > 0) RequireFooter();
  if (label < count) return label;
  throw DataError(path(), static_cast<std::uint64_t>(entry + 4 - file_.bytes().data()),
                  "record " + std::to_string(i) + " has the label " + std::to_string(label) +
                      ", the manifest names only " + std::to_string(count));
}

// A lost page is reported as such, because the file itself may be intact.
void ShardReader::VerifyRecord(std::size_t i) const {
  if (storage::Crc32c(Record(i)) == RecordCrc32c(i)) return;
  throw DataError(path(), kHeaderBytes + i * record_bytes(),
                  "record " + std::to_string(i) +
                      (lost_pages() > 0 ? " can no longer be read: the file became shorter, or its storage failed"
                                        : " does not match its checksum"));
}

}  // namespace gan::shard
