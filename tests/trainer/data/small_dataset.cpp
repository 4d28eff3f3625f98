#include "tests/trainer/data/small_dataset.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

#include "shard/manifest.h"
#include "shard/shard_format.h"
#include "shard/shard_writer.h"
#include "storage/checksum.h"
#include "storage/files.h"
#include "trainer/data/sampler.h"

namespace gan::data {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "gan-data-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<Picture> MakePictures(std::size_t count) {
  std::vector<Picture> pictures(count, Picture(shard::RecordBytes(kPictureSize), '\0'));
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < pictures[i].size(); ++k) {
      pictures[i][k] = static_cast<char>(Philox(1, i, k).v[0]);
    }
  }
  return pictures;
}

Picture ToPicture(std::span<const std::byte> record) {
  const auto* begin = reinterpret_cast<const char*>(record.data());
  return Picture(begin, begin + record.size());
}

namespace {

shard::ShardEntry WriteShard(const std::filesystem::path& folder, std::uint32_t number,
                             std::span<const Picture> pictures, std::uint64_t first, std::uint32_t modulus) {
  const auto path = shard::ShardFileName(folder, number);
  shard::ShardWriter writer(path, number, kPictureSize);
  for (const Picture& picture : pictures) {
    const auto label = static_cast<std::uint32_t>((first + writer.size()) % modulus);
    writer.Append(std::as_bytes(std::span(picture)), {.label = label, .input = writer.size(), .source = "made up"});
  }
  writer.Commit();
  const std::string bytes = storage::ReadFile(path);
  return {number, pictures.size(), bytes.size(), storage::DigestOf(std::as_bytes(std::span(bytes)))};
}

}  // namespace

void WriteDatasetOfShards(const std::filesystem::path& folder, const std::vector<std::vector<Picture>>& shards) {
  WriteLabelledDataset(folder, shards, {}, 1);
}

void WriteLabelledDataset(const std::filesystem::path& folder, const std::vector<std::vector<Picture>>& shards,
                          const std::vector<std::string>& names, std::uint32_t modulus) {
  shard::Manifest manifest;
  manifest.labels = names;
  manifest.format_version = shard::kFormatVersion;
  manifest.image_size = kPictureSize;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    manifest.shards.push_back(
        WriteShard(folder, static_cast<std::uint32_t>(i), shards[i], manifest.records(), modulus));
  }
  manifest.inputs = manifest.accepted = manifest.records();
  manifest.images_per_shard = static_cast<std::uint32_t>(manifest.records());
  manifest.dataset_digest = shard::DatasetDigest(manifest.shards);
  shard::WriteManifest(folder, manifest);
}

void WriteDataset(const std::filesystem::path& folder, const std::vector<Picture>& pictures, std::size_t per_shard) {
  std::vector<std::vector<Picture>> shards;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (i % per_shard == 0) shards.emplace_back();
    shards.back().push_back(pictures[i]);
  }
  WriteDatasetOfShards(folder, shards);
}

void DamageRecord(const std::filesystem::path& folder, std::uint32_t number, std::size_t i) {
  std::fstream file(shard::ShardFileName(folder, number), std::ios::in | std::ios::out | std::ios::binary);
  const auto offset = static_cast<std::streamoff>(shard::kHeaderBytes + i * shard::RecordBytes(kPictureSize) + 100);
  file.seekg(offset);
  const int byte = file.get();
  file.seekp(offset);
  file.put(static_cast<char>(byte ^ 4));
  if (!file.good()) throw std::runtime_error("the record could not be damaged");
}

}  // namespace gan::data
