#include "inspect/dump.h"

#include <algorithm>
#include <vector>

#include "picture/grid.h"
#include "picture/png.h"
#include "shard/manifest.h"
#include "shard/shard_format.h"
#include "shard/shard_reader.h"
#include "storage/errors.h"

namespace gan::inspect {

namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t kColumns = 8;

struct Pictures {
  std::uint32_t image_size = 0;
  std::uint32_t count = 0;
  std::vector<std::uint8_t> pixels;  // uint8 [count, image_size, image_size, 3]
};

// The shards to read, in order: the file itself, or all shards of a folder's manifest.
std::vector<fs::path> ShardsOf(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const shard::ShardEntry& entry : shard::ReadManifest(path).shards) {
    files.push_back(shard::ShardFileName(path, entry.number));
  }
  return files;
}

// Appends the images of one shard until `wanted` are collected. Images of different sizes do not fit into one grid.
void AppendImages(const shard::ShardReader& reader, std::uint32_t wanted, Pictures& pictures) {
  if (pictures.count > 0 && reader.image_size() != pictures.image_size) {
    throw DataError(reader.path(), "has images of another size than the shards before it");
  }
  pictures.image_size = reader.image_size();
  for (std::size_t i = 0; i < reader.size() && pictures.count < wanted; ++i, ++pictures.count) {
    // Opening a shard checks only its header and index.
    reader.VerifyRecord(i);
    const auto* record = reinterpret_cast<const std::uint8_t*>(reader.Record(i).data());
    pictures.pixels.insert(pictures.pixels.end(), record, record + reader.record_bytes());
  }
  reader.RequireRead();
}

}  // namespace

// Reads only as many shards as the images need.
void DumpPictures(const fs::path& path, std::uint32_t count, const fs::path& out) {
  Pictures pictures;
  for (const fs::path& file : ShardsOf(path)) {
    if (pictures.count == count) break;
    AppendImages(shard::ShardReader(file), count, pictures);
  }
  if (pictures.count == 0) throw DataError(path, "contains no images");
  const picture::GridImage grid =
      picture::Grid(pictures.pixels, pictures.count, pictures.image_size, std::min(pictures.count, kColumns));
  picture::WritePng(out, grid.pixels, grid.width, grid.height);
}

}  // namespace gan::inspect
