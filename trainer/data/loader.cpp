#include "trainer/data/loader.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "storage/errors.h"
#include "trainer/data/sampler.h"

namespace gan::data {
namespace {

constexpr std::size_t kChannels = 3;

// Copies three bytes per pixel in reverse order of the columns.
void CopyMirrored(std::span<const std::byte> record, std::size_t size, std::uint8_t* out) {
  const auto* row = reinterpret_cast<const std::uint8_t*>(record.data());
  for (std::size_t y = 0; y < size; ++y, row += size * kChannels, out += size * kChannels) {
    for (std::size_t x = 0; x < size; ++x)
      std::memcpy(out + x * kChannels, row + (size - 1 - x) * kChannels, kChannels);
  }
}

// Records are read in random order, so the processor cannot predict their addresses. Looking these up costs a twentieth
// of the copy; prefetching hides this cost behind the copy of the previous record.
void TouchPages(std::span<const std::byte> record) {
  constexpr std::size_t kPage = 4096;
  for (std::size_t at = 0; at < record.size(); at += kPage) __builtin_prefetch(record.data() + at);
}

// Sleeps until `ready` holds for the number, and returns that number.
template <typename Ready>
std::uint64_t Await(const std::atomic<std::uint64_t>& number, const Ready& ready) {
  std::uint64_t value = number.load();
  while (!ready(value)) {
    number.wait(value);
    value = number.load();
  }
  return value;
}

}  // namespace

// Batch k is in slot k % slots.size(). The background thread fills a slot once the previous batch in that slot has been
// given back. This happens in the call of Next() after the one that returned that batch.
struct Loader::Impl {
  Impl(std::shared_ptr<const Dataset> dataset_in, const LoaderOptions& options_in)
      : dataset(std::move(dataset_in)), options(options_in), slots(options.prefetch + 1) {
    const std::size_t record_bytes = kChannels * dataset->image_size() * dataset->image_size();
    for (RawBatch& slot : slots) {
      slot.pixels.resize(options.count * record_bytes);
      if (options.labels) slot.labels.resize(options.count);
    }
    thread = std::thread([this] { Produce(); });
  }
  ~Impl() {
    // The thread may wait for a slot or fill one; in the latter case it sees the mark before the next batch.
    returned.store(kStopped);
    returned.notify_one();
    thread.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void Produce();
  void Fill(std::uint64_t number);
  void CopyImages(const std::vector<std::uint64_t>& records, RawBatch& batch);
  void CopyImage(std::uint64_t cursor, std::span<const std::byte> record, std::uint8_t* out);
  std::vector<std::uint64_t> RecordsFrom(std::uint64_t cursor);
  // A record of the data set that is intact, and its number.
  struct Found {
    std::span<const std::byte> pixels;
    std::uint64_t record = 0;
  };
  Found Fetch(std::uint64_t record);

  const std::shared_ptr<const Dataset> dataset;
  const LoaderOptions options;

  // Used only by the background thread.
  std::optional<Permutation> order;
  std::uint64_t order_epoch = 0;
  std::vector<std::uint64_t> coming;  // records of the next batch; empty: not computed yet
  std::uint64_t read_bytes = 0;       // since the pages were last released

  // Used only by the caller's thread.
  std::uint64_t given = 0;
  std::chrono::steady_clock::duration waited{};

  std::vector<RawBatch> slots;  // a filled slot belongs to the caller, any other to the background thread
  static constexpr std::uint64_t kFailed = std::uint64_t{1} << 63;
  static constexpr std::uint64_t kStopped = ~std::uint64_t{0};
  std::atomic<std::uint64_t> filled = 0;    // number of batches, with kFailed added when there will be no more
  std::atomic<std::uint64_t> returned = 0;  // number of batches, or kStopped
  std::exception_ptr error;                 // the caller may read it once kFailed is set

  std::mutex mutex;
  std::uint64_t corrupt = 0;  // guarded by mutex
  std::string last_corrupt;   // guarded by mutex

  std::thread thread;
};

// An exception of the background thread is stored, and the caller's Next() rethrows it after the batches before it.
void Loader::Impl::Produce() try {
  for (std::uint64_t number = 0;; ++number) {
    const std::uint64_t back =
        Await(returned, [&](std::uint64_t value) { return value == kStopped || number < value + slots.size(); });
    if (back == kStopped) return;
    Fill(number);
    filled.store(number + 1);
    filled.notify_one();
  }
} catch (...) {
  // Stored before kFailed is set, whose release makes it visible to the caller.
  error = std::current_exception();
  filled.fetch_or(kFailed);
  filled.notify_one();
}

void Loader::Impl::Fill(std::uint64_t number) {
  RawBatch& batch = slots[number % slots.size()];
  batch.cursor = options.first + number * options.stride;
  // Only the first batch finds nothing prepared.
  if (coming.empty()) coming = RecordsFrom(batch.cursor);
  const std::vector<std::uint64_t> records = std::exchange(coming, RecordsFrom(batch.cursor + options.stride));
  // When the data comes from a disk, the records of the next batch are loaded while this one is copied.
  for (const std::uint64_t record : coming) dataset->WillNeed(record);
  // If a page is lost while it is copied, the batch contains zeros. The second call verifies the record again and
  // throws.
  UntilNothingIsLost([&] { CopyImages(records, batch); });
  read_bytes += batch.pixels.size();
  // Mapped pages count as resident memory of the process, although they are only the page cache. Without this a run
  // would seem to grow to the size of its data set.
  if (read_bytes < options.mapped_bytes || dataset->bytes() <= options.mapped_bytes) return;
  dataset->Unmap();
  read_bytes = 0;
}

// Fetches the next record before copying the present one, so that TouchPages can prefetch it.
void Loader::Impl::CopyImages(const std::vector<std::uint64_t>& records, RawBatch& batch) {
  const std::size_t record_bytes = batch.pixels.size() / options.count;
  Found next = Fetch(records[0]);
  for (std::uint64_t i = 0; i < options.count; ++i) {
    const Found found = next;
    if (i + 1 < options.count) next = Fetch(records[i + 1]);
    TouchPages(next.pixels);
    CopyImage(batch.cursor + i, found.pixels, batch.pixels.data() + i * record_bytes);
    if (options.labels) batch.labels[i] = dataset->Label(found.record);
  }
}

// The replacement depends only on the data, so every rank and every resumed run uses the same.
Loader::Impl::Found Loader::Impl::Fetch(std::uint64_t record) {
  if (!options.replace_corrupt) return {dataset->Record(record), record};
  Found found;
  const auto report = [this](const DataError& damage) {
    const std::lock_guard lock(mutex);
    ++corrupt;
    last_corrupt = damage.what();
  };
  found.pixels = dataset->IntactRecord(record, report, &found.record);
  return found;
}

// The records of a batch, each as in SampleAt(). The permutation of an epoch is computed once and kept.
std::vector<std::uint64_t> Loader::Impl::RecordsFrom(std::uint64_t cursor) {
  std::vector<std::uint64_t> records(options.count);
  for (std::uint64_t& record : records) {
    const std::uint64_t epoch = cursor / dataset->size();
    // A batch may contain the end of one epoch and the beginning of the next.
    if (!order || order_epoch != epoch) order.emplace(dataset->size(), options.seed, epoch);
    order_epoch = epoch;
    record = (*order)(cursor++ % dataset->size());
  }
  return records;
}

// The decision to mirror belongs to the image's cursor, so that it does not depend on ranks or batches.
void Loader::Impl::CopyImage(std::uint64_t cursor, std::span<const std::byte> record, std::uint8_t* out) {
  if (options.flip && Uniform(options.seed, Stream::kFlip, cursor, 0) < 0.5) {
    CopyMirrored(record, dataset->image_size(), out);
  } else {
    std::memcpy(out, record.data(), record.size());
  }
}

// A batch larger than the stride would use images that belong to other ranks.
Loader::Loader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options) {
  if (options.count == 0 || options.count > options.stride) {
    throw UsageError("a batch must have at least one image and no more than all ranks take together");
  }
  impl_ = std::make_unique<Impl>(std::move(dataset), options);
}

Loader::~Loader() = default;

const RawBatch& Loader::Next() {
  Impl& impl = *impl_;
  // The call returns the batch of the previous call to the background thread.
  impl.returned.store(impl.given);
  impl.returned.notify_one();
  const auto batches = [](std::uint64_t filled) { return filled & ~Impl::kFailed; };
  const auto ready = [&](std::uint64_t filled) { return batches(filled) > impl.given || filled != batches(filled); };
  std::uint64_t filled = impl.filled.load();
  if (!ready(filled)) {
    const auto start = std::chrono::steady_clock::now();
    // Waking a sleeping thread costs the background thread as much as copying half a batch, and more on a virtual
    // machine. So this thread polls for a while first. The background thread sleeps at once when it is ahead, and
    // leaves its core to the compute threads.
    constexpr std::chrono::microseconds kAsks(500);
    while (!ready(impl.filled.load()) && std::chrono::steady_clock::now() - start < kAsks) std::this_thread::yield();
    filled = Await(impl.filled, ready);
    impl.waited += std::chrono::steady_clock::now() - start;
  }
  // Batches that were made before the error are still valid.
  if (batches(filled) <= impl.given) std::rethrow_exception(impl.error);
  return impl.slots[impl.given++ % impl.slots.size()];
}

std::uint64_t Loader::corrupt_records() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->corrupt;
}

std::string Loader::last_corrupt() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->last_corrupt;
}

double Loader::wait_seconds() const { return std::chrono::duration<double>(impl_->waited).count(); }

}  // namespace gan::data
