// From shards to batches, without LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "shard/manifest.h"
#include "shard/shard_reader.h"

namespace gan::data {

// A shard folder opened for training: every shard checked against the manifest (count, size, format version), mapped,
// never read as a whole. Split into training records and a holdout chosen by content (CRC32C and bytes), so the same
// pictures are held out whatever their order. Safe to share among threads.
class Dataset {
 public:
  // holdout_fraction of the records, at most max_holdout; 0 keeps all for training. Throws DataError.
  explicit Dataset(const std::filesystem::path& folder, double holdout_fraction = 0.05,
                   std::uint64_t max_holdout = 2000);

  const shard::Manifest& manifest() const { return manifest_; }
  std::uint32_t image_size() const { return manifest_.image_size; }
  std::uint64_t size() const;          // training records
  std::uint64_t holdout_size() const;
  std::span<const std::byte> Record(std::uint64_t i) const;         // uint8 HWC; checksum verified on first use
  std::span<const std::byte> HoldoutRecord(std::uint64_t i) const;

 private:
  shard::Manifest manifest_;
  std::vector<shard::ShardReader> shards_;
  struct Split;
  std::shared_ptr<Split> split_;
};

// A batch of raw pixels: uint8 [count, size, size, 3].
struct RawBatch {
  std::uint64_t cursor = 0;  // global number of the batch's first image in the endless stream
  std::vector<std::uint8_t> pixels;
};

struct LoaderOptions {
  std::uint64_t seed = 0;
  std::uint64_t count = 0;          // images a Next() gives to this rank
  std::uint64_t first = 0;          // cursor of this rank's first image: run cursor + rank * count
  std::uint64_t stride = 0;         // cursor distance between two successive Next(): images of all ranks
  bool flip = false;                // mirrors an image left-right with probability 1/2
  std::size_t prefetch = 2;         // batches made ahead by one background thread
};

// Gives batch after batch; every rank gets the same number of them for ever. Not thread-safe.
class Loader {
 public:
  Loader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options);
  ~Loader();
  // Blocks until a batch is there; `wait_seconds()` says how long in all. The reference is valid until the next call.
  // Rethrows a DataError met by the background thread.
  const RawBatch& Next();
  double wait_seconds() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gan::data
