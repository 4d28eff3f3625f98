#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <string>
#include <system_error>

#include "shard/shard_format.h"
#include "storage/errors.h"
#include "trainer/data/loader.h"
#include "trainer/data/split.h"

namespace gan::data {
namespace {

// The text of an error when a shard differs from the manifest.
std::string Disagree(const char* what, std::uint64_t manifest, std::uint64_t shard) {
  return std::string("the manifest says ") + std::to_string(manifest) + " " + what + ", the shard has " +
         std::to_string(shard);
}

// Compares the size before mapping the file, so that a missing or truncated shard is reported as such.
// A shard of another data set with the same name is refused at the start, and not in the middle of an epoch.
void CheckSize(const std::filesystem::path& path, std::uint64_t expected) {
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(path, error);
  if (error) throw DataError(path, "the manifest lists this shard, but it cannot be read: " + error.message());
  if (bytes != expected) throw DataError(path, Disagree("bytes", expected, bytes));
}

shard::ShardReader OpenShard(const std::filesystem::path& folder, const shard::Manifest& manifest,
                             const shard::ShardEntry& entry) {
  const auto path = shard::ShardFileName(folder, entry.number);
  CheckSize(path, entry.bytes);
  shard::ShardReader reader(path);
  if (reader.number() != entry.number) throw DataError(path, Disagree("is its number", entry.number, reader.number()));
  if (reader.size() != entry.records) throw DataError(path, Disagree("records", entry.records, reader.size()));
  if (reader.image_size() != manifest.image_size) {
    throw DataError(path, Disagree("pixels per side", manifest.image_size, reader.image_size()));
  }
  return reader;
}

}  // namespace

// Behind a pointer, through which const functions mark records as verified.
struct Dataset::Split {
  std::vector<std::uint64_t> first_records;          // of each shard; its last element is the total
  std::vector<std::uint64_t> holdout;                // record numbers, sorted by content
  std::vector<std::uint64_t> held;                   // the record numbers of the holdout, ascending
  std::vector<std::atomic<std::uint64_t>> verified;  // one bit per record
  bool larger_than_memory = false;
};

Dataset::Dataset(const std::filesystem::path& folder, double holdout_fraction, std::uint64_t max_holdout)
    : manifest_(shard::ReadManifest(folder)), split_(std::make_shared<Split>()) {
  if (!(holdout_fraction >= 0 && holdout_fraction <= 0.5)) {
    throw UsageError("the holdout must be between 0 and 0.5 of the records");
  }
  OpenShards(folder);
  const std::uint64_t total = split_->first_records.back();
  if (total == 0) throw DataError(folder / shard::kManifestName, "the dataset has no records");

  const auto wanted = static_cast<std::uint64_t>(holdout_fraction * static_cast<double>(total));
  // The holdout depends only on checksums, which are in the footers; so no record is read here.
  HoldoutChooser chooser(std::min(wanted, max_holdout));
  std::uint64_t number = 0;
  for (const auto& shard : shards_) {
    for (std::size_t i = 0; i < shard.size(); ++i) chooser.Offer(ContentKey(shard.RecordCrc32c(i)), number++);
  }
  split_->holdout = chooser.Choose();
  split_->held = split_->holdout;
  std::sort(split_->held.begin(), split_->held.end());
  split_->verified = std::vector<std::atomic<std::uint64_t>>((total + 63) / 64);
  const auto memory = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES) * ::sysconf(_SC_PAGESIZE));
  split_->larger_than_memory = bytes() > memory / 2;  // the other half is left for everything else
}

void Dataset::OpenShards(const std::filesystem::path& folder) {
  std::uint64_t first = 0;
  for (const auto& entry : manifest_.shards) {
    shards_.push_back(OpenShard(folder, manifest_, entry));
    split_->first_records.push_back(first);
    first += entry.records;
  }
  split_->first_records.push_back(first);
}

namespace {

// Returns record i of `count`, or the next one that `read` can verify. If the last record fails as well, its error is
// thrown.
template <typename Read>
std::span<const std::byte> Intact(std::uint64_t i, std::uint64_t count, const Dataset::DamageReport& report,
                                  std::uint64_t* used, const Read& read) {
  std::uint64_t number = i;
  for (std::uint64_t tried = 0; tried + 1 < count; ++tried) {
    if (used != nullptr) *used = number;
    try {
      return read(number);
    } catch (const DataError& error) {
      report(error);
    }
    // The next record by number rather than a random one, so that every rank finds the same one without communication.
    number = (number + 1) % count;
  }
  if (used != nullptr) *used = number;
  return read(number);
}

}  // namespace

std::uint64_t Dataset::size() const { return split_->first_records.back() - split_->held.size(); }

std::uint64_t Dataset::holdout_size() const { return split_->held.size(); }

std::uint64_t Dataset::bytes() const { return split_->first_records.back() * shards_.front().record_bytes(); }

// Records that are held out are skipped by their number, so that training uses consecutive indices.
std::span<const std::byte> Dataset::Record(std::uint64_t i) const {
  assert(i < size());
  return VerifiedRecord(SkipHeld(i, split_->held));
}

std::span<const std::byte> Dataset::IntactRecord(std::uint64_t i, const DamageReport& report,
                                                 std::uint64_t* used) const {
  return Intact(i, size(), report, used, [this](std::uint64_t number) { return Record(number); });
}

std::span<const std::byte> Dataset::IntactHoldoutRecord(std::uint64_t i, const DamageReport& report,
                                                        std::uint64_t* used) const {
  return Intact(i, holdout_size(), report, used, [this](std::uint64_t number) { return HoldoutRecord(number); });
}

std::span<const std::byte> Dataset::HoldoutRecord(std::uint64_t i) const {
  assert(i < holdout_size());
  return VerifiedRecord(split_->holdout[i]);
}

std::uint32_t Dataset::LabelOf(std::uint64_t number) const {
  const auto [shard, record] = PlaceOf(number);
  return shards_[shard].RecordLabel(record, manifest_.labels.size());
}

std::uint32_t Dataset::Label(std::uint64_t i) const { return LabelOf(SkipHeld(i, split_->held)); }

std::uint32_t Dataset::HoldoutLabel(std::uint64_t i) const { return LabelOf(split_->holdout[i]); }

// Counts all records in the order of the footers, then subtracts the held-out ones.
std::vector<std::uint64_t> Dataset::LabelCounts() const {
  std::vector<std::uint64_t> counts(manifest_.labels.size());
  for (const auto& shard : shards_) {
    for (std::size_t i = 0; i < shard.size(); ++i) ++counts[shard.RecordLabel(i, counts.size())];
  }
  for (std::uint64_t i = 0; i < holdout_size(); ++i) --counts[HoldoutLabel(i)];
  return counts;
}

// A binary search, because there may be thousands of shards.
Dataset::Place Dataset::PlaceOf(std::uint64_t number) const {
  const auto& firsts = split_->first_records;
  const auto shard =
      static_cast<std::size_t>(std::upper_bound(firsts.begin(), firsts.end(), number) - firsts.begin()) - 1;
  return {.shard = shard, .record = static_cast<std::size_t>(number - firsts[shard])};
}

std::span<const std::byte> Dataset::VerifiedRecord(std::uint64_t number) const {
  const auto [shard, i] = PlaceOf(number);
  // Two threads may both verify a record; this is harmless and cheaper than a lock.
  // The bit only saves work, so relaxed order is enough: a thread that does not see it verifies once more.
  std::atomic<std::uint64_t>& word = split_->verified[number / 64];
  const std::uint64_t bit = std::uint64_t{1} << (number % 64);
  // A verified record may become unreadable later. When its shard has lost pages, the checksum is verified again.
  if ((word.load(std::memory_order_relaxed) & bit) == 0 || shards_[shard].lost_pages() > 0) {
    shards_[shard].VerifyRecord(i);
    word.fetch_or(bit, std::memory_order_relaxed);
  }
  return shards_[shard].Record(i);
}

// The hint is a system call, so it is skipped where it cannot help.
void Dataset::WillNeed(std::uint64_t i) const {
  assert(i < size());
  // A record that was read before is in memory, unless memory cannot hold all records.
  const std::uint64_t number = SkipHeld(i, split_->held);
  const bool was_read = (split_->verified[number / 64].load(std::memory_order_relaxed) >> (number % 64) & 1) != 0;
  if (was_read && !split_->larger_than_memory) return;
  const auto [shard, record] = PlaceOf(number);
  storage::WillRead(shards_[shard].Record(record));
}

void Dataset::Unmap() const {
  for (const auto& shard : shards_) shard.ReleasePages();
}

}  // namespace gan::data
