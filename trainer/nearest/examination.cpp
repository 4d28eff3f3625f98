#include "trainer/nearest/examination.h"

#include <algorithm>
#include <cstring>

#include "storage/errors.h"
#include "trainer/data/sampler.h"

namespace gan::nearest {

namespace {

// Not the seed of the run: training and gan-generate --nearest must choose the same images.
constexpr std::uint64_t kOrderSeed = 0;
constexpr std::uint64_t kBlock = 512;  // images between two calls of `alive`

void Ignore(const DataError& /*damage*/) {}

// The thumbnail of the record that read() returns. The record is copied first, because its page may become unreadable
// meanwhile, and then a second attempt is needed.
template <typename Read>
Thumbnail ThumbnailOfRecord(std::size_t side, std::vector<std::uint8_t>& pixels, const Read& read) {
  data::UntilNothingIsLost([&] {
    const std::span<const std::byte> record = read();
    std::memcpy(pixels.data(), record.data(), record.size());
  });
  return ThumbnailOf(pixels, side);
}

}  // namespace

Reference::Reference(std::shared_ptr<const data::Dataset> dataset, bool flip, const std::function<void()>& alive)
    : dataset_(std::move(dataset)) {
  const std::size_t side = dataset_->image_size();
  std::vector<std::uint8_t> pixels(3 * side * side);
  const std::uint64_t count = std::min(kMostTraining, dataset_->size());
  std::vector<Thumbnail> thumbnails;
  thumbnails.reserve(count);
  records_.resize(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    thumbnails.push_back(ThumbnailOfRecord(side, pixels, [&] {
      // A data set is often sorted by class, so its first images would not represent all of them.
      return dataset_->IntactRecord(data::SampleAt(i, dataset_->size(), kOrderSeed), Ignore, &records_[i]);
    }));
    if (i % kBlock != kBlock - 1) continue;
    alive();
    dataset_->Unmap();  // the data set must not count as memory of this process
  }
  training_.emplace(thumbnails, flip);
  if (!training_->AreEnough()) return;
  held_out_.reserve(std::min(kMostHeldOut, dataset_->holdout_size()));
  for (std::uint64_t i = 0; i < std::min(kMostHeldOut, dataset_->holdout_size()); ++i) {
    held_out_.push_back(training_->NearestTo(
        ThumbnailOfRecord(side, pixels, [&] { return dataset_->IntactHoldoutRecord(i, Ignore); })));
    if (i % kBlock == 0) alive();
  }
}

std::vector<std::uint8_t> Reference::Original(const Neighbour& neighbour, std::size_t side) const {
  const std::size_t from = dataset_->image_size();
  std::vector<std::uint8_t> pixels(3 * from * from);
  data::UntilNothingIsLost([&] {
    const auto record = dataset_->IntactRecord(records_[neighbour.image], Ignore);
    std::memcpy(pixels.data(), record.data(), record.size());
  });
  const std::vector<std::uint8_t> resized = Resized(pixels, from, side);
  return neighbour.mirrored ? Mirrored(resized, side) : resized;
}

void Examination::Add(std::span<const std::uint8_t> rgb) {
  const std::size_t bytes = 3 * side_ * side_;
  for (std::size_t at = 0; at + bytes <= rgb.size(); at += bytes) {
    const std::span<const std::uint8_t> image = rgb.subspan(at, bytes);
    const Neighbour neighbour = reference_.training().NearestTo(ThumbnailOf(image, side_));
    generated_.push_back(neighbour);
    // Images with equal ratios stay in their order.
    const auto place =
        std::ranges::upper_bound(shown_, neighbour.ratio, {}, [](const Shown& shown) { return shown.neighbour.ratio; });
    // Only the images that may be shown are kept, so memory does not grow with the number of images.
    if (place == shown_.end() && shown_.size() == kPairs) continue;
    shown_.insert(place, {neighbour, {image.begin(), image.end()}});
    if (shown_.size() > kPairs) shown_.pop_back();
  }
}

picture::GridImage Examination::Pairs() const {
  const std::size_t bytes = 3 * side_ * side_, columns = std::min(kColumns, shown_.size());
  const std::size_t rows = 2 * ((shown_.size() + columns - 1) / columns);
  std::vector<std::uint8_t> images(rows * columns * bytes, 255);
  const auto put = [&](std::size_t row, std::size_t column, const std::vector<std::uint8_t>& rgb) {
    std::ranges::copy(rgb, images.begin() + static_cast<std::ptrdiff_t>((row * columns + column) * bytes));
  };
  for (std::size_t i = 0; i < shown_.size(); ++i) {
    put(2 * (i / columns), i % columns, shown_[i].rgb);
    put(2 * (i / columns) + 1, i % columns, reference_.Original(shown_[i].neighbour, side_));
  }
  return picture::Grid(images, static_cast<std::uint32_t>(rows * columns), static_cast<std::uint32_t>(side_),
                       static_cast<std::uint32_t>(columns));
}

}  // namespace gan::nearest
