#include "trainer/run/batches.h"

#include <cmath>

#include "storage/errors.h"
#include "trainer/data/pixels.h"
#include "trainer/model/classes.h"
#include "trainer/step/device_work.h"

namespace gan::run {

namespace {

constexpr double kDefaultEpochs = 100;

// The stream of images is one for all ranks. A cursor counts its images, and image number, noise and augmentation
// follow from the cursor alone; so neither the number of ranks nor a resume changes what is trained.

// Within the images of one micro-batch of all ranks, rank k takes the k-th part.
data::LoaderOptions OptionsOf(const TrainOptions& options, std::uint64_t batch, const distributed::World& world,
                              std::uint64_t cursor) {
  data::LoaderOptions loader;
  loader.seed = options.seed;
  loader.count = batch;
  loader.first = cursor + static_cast<std::uint64_t>(world.rank) * batch;
  loader.stride = static_cast<std::uint64_t>(world.size) * batch;
  loader.flip = options.flip;
  loader.labels = options.conditional;
  loader.replace_corrupt = options.corrupt_records == "replace";
  return loader;
}

// On a GPU, dividing by a number multiplies by its reciprocal, which rounds differently from a CPU. Dividing by a
// tensor really divides.
torch::Tensor Normalised(const torch::Tensor& pixels) {
  const torch::Tensor images = pixels.to(torch::kFloat);
  return images.div_(torch::full({}, 255, images.options())).sub_(0.5).div_(0.5);
}

// Gives the same result, bit for bit, in one scan over the memory.
torch::Tensor NormalisedOnCpu(const torch::Tensor& pixels) {
  const torch::Tensor packed = pixels.contiguous();
  torch::Tensor images = torch::empty(packed.sizes(), torch::kFloat);
  data::Normalise(packed.const_data_ptr<std::uint8_t>(), images.data_ptr<float>(), packed.numel());
  return images;
}

}  // namespace

std::shared_ptr<const data::Dataset> OpenDataset(const TrainOptions& options) {
  auto dataset = std::make_shared<const data::Dataset>(options.shards, options.holdout);
  if (dataset->size() == 0) throw DataError(options.shards, "holds no images to train on");
  const auto side = static_cast<std::int64_t>(dataset->image_size());
  if (side % options.gan.network.resolution != 0) {
    throw UsageError("--resolution " + std::to_string(options.gan.network.resolution) + " does not divide the " +
                     std::to_string(side) + " px of the shards in " + options.shards.string() +
                     "; preprocess with --size " + std::to_string(options.gan.network.resolution));
  }
  return dataset;
}

double TotalImages(const TrainOptions& options, std::uint64_t training_images) {
  if (options.images > 0) return static_cast<double>(options.images);
  const double epochs = options.epochs > 0 ? options.epochs : kDefaultEpochs;
  return std::ceil(epochs * static_cast<double>(training_images));
}

torch::Tensor ToImages(const torch::Tensor& pixels, std::int64_t resolution, torch::Device device,
                       torch::MemoryFormat format) {
  torch::NoGradGuard no_grad;
  const torch::Tensor images = (device.is_cpu() ? NormalisedOnCpu(pixels) : Normalised(step::ToDevice(pixels, device)))
                                   .permute({0, 3, 1, 2})
                                   .contiguous(format);
  // Averaged after normalising, in float, so that no second rounding to whole levels takes place.
  const std::int64_t block = images.size(2) / resolution;
  return block == 1 ? images : torch::avg_pool2d(images, block);
}

// One counter per image: the latents do not depend on how images are divided into batches.
torch::Tensor Latents(std::uint64_t seed, data::Stream stream, std::uint64_t cursor, std::uint64_t count,
                      std::int64_t noise_dim, torch::Device device) {
  torch::Tensor latents = torch::empty({static_cast<std::int64_t>(count), noise_dim, 1, 1});
  const auto length = static_cast<std::uint64_t>(noise_dim);
  for (std::uint64_t i = 0; i < count; ++i) {
    data::FillNormal(latents.data_ptr<float>() + i * length, length, seed, stream, cursor + i, 0);
  }
  return step::ToDevice(latents, device);
}

torch::Tensor DrawClasses(const data::Classes& classes, std::uint64_t seed, data::Stream stream, std::uint64_t cursor,
                          std::uint64_t count, torch::Device device) {
  if (classes.empty()) return {};
  std::vector<std::uint32_t> drawn(count);
  for (std::uint64_t i = 0; i < count; ++i) drawn[i] = classes.Draw(seed, stream, cursor + i);
  return step::ToDevice(model::OneHot(drawn, classes.size()), device);
}

Batches::Batches(std::shared_ptr<const data::Dataset> dataset, const data::Classes& classes,
                 const TrainOptions& options, std::uint64_t noise_seed, std::uint64_t batch,
                 const distributed::World& world, torch::Device device, std::uint64_t cursor)
    : dataset_(dataset),
      classes_(classes),
      options_(options),
      home_(torch::TensorOptions(device).dtype(options.gan.precision == step::Precision::kFp64 ? torch::kDouble
                                                                                               : torch::kFloat)),
      noise_seed_(noise_seed),
      batch_(batch),
      images_of_all_ranks_(static_cast<std::uint64_t>(world.size) * batch),
      cursor_(cursor),
      loader_(dataset, OptionsOf(options, batch, world, cursor)) {
  // On a CPU a feed would only take cores away from the step.
  if (!device.is_cpu()) feed_.emplace(device, [this] { return Make(); });
}

// The cursor advances when a batch is used, not when the feed prepares it, because a checkpoint stores it.
step::Batch Batches::Next() {
  step::Batch batch = feed_ ? feed_->Next() : Make();
  cursor_ += images_of_all_ranks_;
  return batch;
}

double Batches::wait_seconds() const { return feed_ ? feed_->wait_seconds() : loader_.wait_seconds(); }

step::Batch Batches::Make() {
  const data::RawBatch& raw = loader_.Next();
  const auto side = static_cast<std::int64_t>(dataset_->image_size());
  const torch::Tensor pixels = torch::from_blob(
      const_cast<std::uint8_t*>(raw.pixels.data()),  // from_blob takes no const pointer; nothing writes through it
      {static_cast<std::int64_t>(batch_), side, side, 3}, torch::kByte);
  const bool channels_last = options_.gan.UsesChannelsLast();
  const auto format = channels_last ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous;
  step::Batch batch = {
      ToImages(pixels, options_.gan.network.resolution, home_.device(), format).to(home_),
      Latents(noise_seed_, data::Stream::kLatentD, raw.cursor, batch_, options_.gan.network.noise_dim, home_.device())
          .to(home_)};
  batch.draws = step::DrawsOf(noise_seed_, raw.cursor, static_cast<std::int64_t>(batch_), home_.device());
  if (classes_.empty()) return batch;
  batch.real_classes = step::ToDevice(model::OneHot(raw.labels, classes_.size()), home_.device()).to(home_);
  batch.fake_classes =
      DrawClasses(classes_, noise_seed_, data::Stream::kLatentD, raw.cursor, batch_, home_.device()).to(home_);
  return batch;
}

}  // namespace gan::run
