#include "tests/shard/small_shard.h"

#include <fstream>

#include "shard/shard_format.h"
#include "shard/shard_writer.h"
#include "storage/checksum.h"
#include "storage/files.h"

namespace gan::shard {

std::vector<std::byte> SmallRecord(std::size_t i) {
  std::vector<std::byte> record(RecordBytes(kSmallSize));
  for (std::size_t k = 0; k < record.size(); ++k) record[k] = static_cast<std::byte>(i * 50 + k);
  return record;
}

void WriteSmallShard(const std::filesystem::path& file, std::uint32_t number) {
  const std::string names[kSmallRecords] = {"a.png", "", "cat/\xff.jpg"};
  ShardWriter writer(file, number, kSmallSize);
  for (std::size_t i = 0; i < kSmallRecords; ++i) {
    writer.Append(SmallRecord(i),
                  {.label = static_cast<std::uint32_t>(i), .input = number * 4 + i, .source = names[i]});
  }
  writer.Commit();
}

Manifest WriteSmallFolder(const std::filesystem::path& folder, std::uint32_t shards) {
  Manifest m;
  m.image_size = kSmallSize;
  m.images_per_shard = 4;
  for (std::uint32_t number = 0; number < shards; ++number) {
    const std::filesystem::path file = ShardFileName(folder, number);
    WriteSmallShard(file, number);
    const std::vector<std::byte> bytes = BytesOf(file);
    m.shards.push_back({number, kSmallRecords, bytes.size(), storage::DigestOf(bytes)});
  }
  m.labels = {"cat", "dog", "owl"};
  m.channel_mean = {1, 2, 3};
  m.channel_std = {4, 5, 6};
  m.accepted = m.records();
  m.inputs = m.accepted;
  m.options = {{"size", kSmallSize}};
  m.libraries = "none";
  m.dataset_digest = DatasetDigest(m.shards);
  WriteManifest(folder, m);
  return m;
}

std::vector<std::byte> BytesOf(const std::filesystem::path& file) {
  const std::string text = storage::ReadFile(file);
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void Overwrite(const std::filesystem::path& file, const std::vector<std::byte>& bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace gan::shard
