// Reads shards and delivers batches. Needs no LibTorch.
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

// A shard folder opened for training. Every shard is compared with the manifest (count, size, format version) and
// memory-mapped, not read as a whole. A holdout is chosen by content (a hash of the record's CRC32C in the shard's
// footer), so the same images are held out in every order, copies of an image are on the same side, and opening reads
// only the footers. Memory: one bit per record, plus O(holdout). Safe to share among threads.
class Dataset {
 public:
  // Holds out at most holdout_fraction (0 to 0.5) of the records and at most max_holdout; 0 uses all records for
  // training. Throws DataError naming the damaged shard or manifest, UsageError when the fraction is out of range.
  explicit Dataset(const std::filesystem::path& folder, double holdout_fraction = 0.05,
                   std::uint64_t max_holdout = 2000);

  const shard::Manifest& manifest() const { return manifest_; }
  std::uint32_t image_size() const { return manifest_.image_size; }
  std::uint64_t size() const;  // training records, at least 1
  std::uint64_t holdout_size() const;
  std::uint64_t bytes() const;  // of all records
  // uint8 HWC, a view that is valid as long as the dataset. The first use verifies the checksum and throws DataError
  // when it does not match.
  std::span<const std::byte> Record(std::uint64_t i) const;
  // Record i or, when it is damaged, the next intact one. `report` is called with the error of every damaged record
  // that was skipped. Throws DataError when no record is intact. `used`: gets the number of the record that is
  // returned.
  using DamageReport = std::function<void(const DataError&)>;
  std::span<const std::byte> IntactRecord(std::uint64_t i, const DamageReport& report,
                                          std::uint64_t* used = nullptr) const;
  // The two functions above for the holdout, whose order depends only on the content.
  std::span<const std::byte> HoldoutRecord(std::uint64_t i) const;
  std::span<const std::byte> IntactHoldoutRecord(std::uint64_t i, const DamageReport& report,
                                                 std::uint64_t* used = nullptr) const;

  // The label of a record: a position in manifest().labels. Throws DataError naming shard and offset when the manifest
  // has no such label.
  std::uint32_t Label(std::uint64_t i) const;
  std::uint32_t HoldoutLabel(std::uint64_t i) const;
  // The number of training records of each label, in one scan over the footers. Checks every label.
  std::vector<std::uint64_t> LabelCounts() const;

  // Hints to the kernel that change no data. WillNeed: record i will be read soon; has an effect only while the record
  // cannot be in memory yet, or when memory cannot hold all records. Unmap: the pages that were read may be unmapped,
  // so that the data set does not count as memory of this process. They stay in the page cache while memory is free.
  void WillNeed(std::uint64_t i) const;
  void Unmap() const;

 private:
  void OpenShards(const std::filesystem::path& folder);
  // `number`: position among the records of all shards.
  struct Place {
    std::size_t shard, record;
  };
  Place PlaceOf(std::uint64_t number) const;
  std::span<const std::byte> VerifiedRecord(std::uint64_t number) const;
  std::uint32_t LabelOf(std::uint64_t number) const;

  shard::Manifest manifest_;
  std::vector<shard::ShardReader> shards_;
  struct Split;
  std::shared_ptr<Split> split_;
};

// Calls `copy`, which copies the results of Record() and similar functions. Calls it again when pages of a mapped file
// became unreadable meanwhile: they were read as zeros, and the second call finds the damage.
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
  std::uint64_t cursor = 0;  // number of the batch's first image in the endless stream of samples
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint32_t> labels;  // of each image; empty unless the options ask for them
};

struct LoaderOptions {
  std::uint64_t seed = 0;
  std::uint64_t count = 0;   // images per Next() for this rank
  std::uint64_t first = 0;   // cursor of this rank's first image: run cursor + rank * count
  std::uint64_t stride = 0;  // cursor distance between two calls of Next(): images of all ranks
  bool flip = false;         // mirrors an image left-right with probability 1/2
  bool labels = false;       // also delivers the labels
  bool replace_corrupt =
      false;  // a record with a wrong checksum is replaced by the next intact one instead of being an error
  std::size_t prefetch = 2;  // batches that the background thread prepares in advance
  // Upper limit of mapped data: after this many bytes were read, a larger data set is unmapped.
  std::uint64_t mapped_bytes = 256 << 20;
};

// Delivers one batch after the other. Batch k holds the images with the cursors first + k * stride + [0, count),
// selected by SampleAt(). Memory is allocated once. The stream never ends, so all ranks get the same number of batches.
// Not thread-safe.
class Loader {
 public:
  // Throws UsageError when count is 0 or above stride.
  Loader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options);
  ~Loader();
  // Blocks until a batch is ready; `wait_seconds()` returns the total waiting time. The reference is valid until the
  // next call. Rethrows a DataError of the background thread.
  const RawBatch& Next();
  double wait_seconds() const;
  // Number of records replaced so far (a record counts again in every epoch), and the newest error.
  std::uint64_t corrupt_records() const;
  std::string last_corrupt() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gan::data
