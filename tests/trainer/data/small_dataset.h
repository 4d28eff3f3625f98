// Shard folders of a few tiny pictures, made with the real writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace gan::data {

inline constexpr std::uint32_t kPictureSize = 8;
using Picture = std::string;  // the bytes of uint8 [8, 8, 3]

// A new folder under the system's temporary folder, removed with all it holds.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Random pictures, all different, always the same ones.
std::vector<Picture> MakePictures(std::size_t count);
Picture ToPicture(std::span<const std::byte> record);

// One shard of each element, and their manifest.
void WriteDatasetOfShards(const std::filesystem::path& folder, const std::vector<std::vector<Picture>>& shards);
// Such shards with names of labels; picture i of all has the label i % modulus, which must be below the number of names
// for a valid data set.
void WriteLabelledDataset(const std::filesystem::path& folder, const std::vector<std::vector<Picture>>& shards,
                          const std::vector<std::string>& names, std::uint32_t modulus);
// Shards of `per_shard` pictures, and their manifest.
void WriteDataset(const std::filesystem::path& folder, const std::vector<Picture>& pictures, std::size_t per_shard);

// Changes one bit in the pixels of record `i` of shard `number`.
void DamageRecord(const std::filesystem::path& folder, std::uint32_t number, std::size_t i);

}  // namespace gan::data
