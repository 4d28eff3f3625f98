// From shards to batches, without LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "shard/manifest.h"
#include "shard/shard_reader.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::data {

// A shard folder opened for training: every shard checked against the manifest (count, size, format version), mapped,
// never read as a whole. Split into training records and a holdout chosen by content (a hash of the CRC32C that the
// shard's footer keeps), so the same pictures are held out whatever their order, copies of one picture stay on one
// side, and opening reads footers only. Memory: one bit a record, and O(holdout). Safe to share among threads.
class Dataset {
 public:
  // At most holdout_fraction (0 to 0.5) of the records and at most max_holdout; 0 keeps all for training.
  // Throws DataError naming the shard or the manifest at fault, UsageError on a fraction out of range.
  explicit Dataset(const std::filesystem::path& folder, double holdout_fraction = 0.05,
                   std::uint64_t max_holdout = 2000);

  const shard::Manifest& manifest() const { return manifest_; }
  std::uint32_t image_size() const { return manifest_.image_size; }
  std::uint64_t size() const;  // training records, at least 1
  std::uint64_t holdout_size() const;
  std::uint64_t bytes() const;  // of all records
  // uint8 HWC, a view that lives as long as the dataset. The checksum is verified on the first use: DataError.
  std::span<const std::byte> Record(std::uint64_t i) const;
  // The same, but where record i is damaged, the next intact one in its place; `report` is told what is wrong with each
  // that was passed over. Throws DataError when none is intact.
  using DamageReport = std::function<void(const DataError&)>;
  std::span<const std::byte> IntactRecord(std::uint64_t i, const DamageReport& report) const;
  // The same two of what is held out, in an order that depends on content alone.
  std::span<const std::byte> HoldoutRecord(std::uint64_t i) const;
  std::span<const std::byte> IntactHoldoutRecord(std::uint64_t i, const DamageReport& report) const;

  // Hints to the kernel, which change no byte. Record i will be read soon: passed on while it cannot be in memory yet,
  // or when memory cannot hold all records. And: pages that were read need not stay mapped, so that this process does
  // not seem to hold the whole data set (they stay in the page cache while there is room).
  void WillNeed(std::uint64_t i) const;
  void Unmap() const;

 private:
  void OpenShards(const std::filesystem::path& folder);
  // `number`: position among all records of all shards.
  struct Place {
    std::size_t shard, record;
  };
  Place PlaceOf(std::uint64_t number) const;
  std::span<const std::byte> VerifiedRecord(std::uint64_t number) const;

  shard::Manifest manifest_;
  std::vector<shard::ShardReader> shards_;
  struct Split;
  std::shared_ptr<Split> split_;
};

// Calls `copy`, which copies what Record() and its like give, and calls it again when pages of a mapped file were lost
// meanwhile: they came as zeros, and Record() then finds the damage.
template <typename Copy>
void UntilNothingIsLost(const Copy& copy) {
  std::uint64_t lost = 0;
  do {
    lost = storage::LostPages();
    copy();
  } while (storage::LostPages() != lost);
}

// A batch of raw pixels: uint8 [count, size, size, 3].
struct RawBatch {
  std::uint64_t cursor = 0;  // global number of the batch's first image in the endless stream
  std::vector<std::uint8_t> pixels;
};

struct LoaderOptions {
  std::uint64_t seed = 0;
  std::uint64_t count = 0;       // images a Next() gives to this rank
  std::uint64_t first = 0;       // cursor of this rank's first image: run cursor + rank * count
  std::uint64_t stride = 0;      // cursor distance between two successive Next(): images of all ranks
  bool flip = false;             // mirrors an image left-right with probability 1/2
  bool replace_corrupt = false;  // a record whose checksum fails: the next intact one instead of an error
  std::size_t prefetch = 2;      // batches made ahead by one background thread
  // Of records that stay mapped; a larger data set is let go of each time that so much was read.
  std::uint64_t mapped_bytes = 256 << 20;
};

// Gives batch after batch: the k-th holds the images of cursors first + k * stride + [0, count), picked by SampleAt().
// Batches' memory is allocated once. Every rank gets the same number of them for ever. Not thread-safe.
class Loader {
 public:
  // Throws UsageError when count is 0 or above stride.
  Loader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options);
  ~Loader();
  // Blocks until a batch is there; `wait_seconds()` says how long in all. The reference is valid until the next call.
  // Rethrows a DataError met by the background thread.
  const RawBatch& Next();
  double wait_seconds() const;
  // Records that were replaced so far (one that comes again in a later epoch counts again), and the newest's error.
  std::uint64_t corrupt_records() const;
  std::string last_corrupt() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gan::data
