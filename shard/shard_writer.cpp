#include "shard/shard_writer.h"

#include <stdexcept>
#include <utility>

#include "shard/little_endian.h"
#include "shard/shard_format.h"
#include "storage/checksum.h"

namespace gan::shard {

namespace {

// Index entries first, then all names: entries of a fixed size can be found by their number.
std::vector<std::byte> EncodeFooter(const std::vector<RecordInfo>& infos) {
  // The reserved four bytes at the end of each entry stay zero.
  std::vector<std::byte> footer(infos.size() * kIndexEntryBytes);
  std::uint64_t name_offset = 0;
  for (std::size_t i = 0; i < infos.size(); ++i) {
    std::byte* entry = &footer[i * kIndexEntryBytes];
    Store(entry, infos[i].crc32c);
    Store(entry + 4, infos[i].label);
    Store(entry + 8, infos[i].input);
    Store(entry + 16, name_offset);
    Store(entry + 24, static_cast<std::uint32_t>(infos[i].source.size()));
    name_offset += infos[i].source.size();
  }
  for (const RecordInfo& info : infos) {
    const auto name = std::as_bytes(std::span(info.source));
    footer.insert(footer.end(), name.begin(), name.end());
  }
  return footer;
}

}  // namespace

ShardWriter::ShardWriter(const std::filesystem::path& path, std::uint32_t number, std::uint32_t image_size)
    : file_(path), number_(number), image_size_(image_size) {
  // A placeholder of the right size. Commit() overwrites it when the numbers are known.
  file_.Append(EncodeHeader({.number = number, .image_size = image_size}));
}

void ShardWriter::Append(std::span<const std::byte> record, RecordInfo info) {
  if (record.size() != RecordBytes(image_size_)) throw std::invalid_argument("a record of the wrong size");
  info.crc32c = storage::Crc32c(record);
  // The format limits names; a longer one is cut, because it serves only for display.
  if (info.source.size() > kMaxNameBytes) info.source.resize(kMaxNameBytes);
  infos_.push_back(std::move(info));
  file_.Append(record);
}

void ShardWriter::Commit() {
  const std::vector<std::byte> footer = EncodeFooter(infos_);
  const Header header{.number = number_,
                      .image_size = image_size_,
                      .records = infos_.size(),
                      .footer_offset = file_.size(),
                      .footer_bytes = footer.size(),
                      .footer_crc32c = storage::Crc32c(footer)};
  file_.Append(footer);
  // The real header is written last. An interrupted writer leaves a temporary file, which no reader opens.
  file_.WriteAt(0, EncodeHeader(header));
  file_.Commit();
}

}  // namespace gan::shard
