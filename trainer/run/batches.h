#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "trainer/data/classes.h"
#include "trainer/data/loader.h"
#include "trainer/data/sampler.h"
#include "trainer/distributed/communicator.h"
#include "trainer/run/device_feed.h"
#include "trainer/run/options.h"
#include "trainer/step/train_step.h"

namespace gan::run {

// Opens the data set of a run. Throws UsageError when its images do not fit --resolution, and DataError.
std::shared_ptr<const data::Dataset> OpenDataset(const TrainOptions& options);

// The number of images of the whole run, for a length that is not given in steps. `training_images`: of the data set.
double TotalImages(const TrainOptions& options, std::uint64_t training_images);

// uint8 [N, S, S, 3] -> float [N, 3, R, R] in [-1, 1] on `device`: (x/255 - 0.5)/0.5, as torchvision's ToTensor and
// Normalize compute it. When R is a proper divisor of S, blocks of pixels are then averaged. `format` is the memory
// order of the result.
torch::Tensor ToImages(const torch::Tensor& pixels, std::int64_t resolution, torch::Device device,
                       torch::MemoryFormat format = torch::MemoryFormat::Contiguous);

// Standard normal latents [count, noise_dim, 1, 1]. Row i belongs to image cursor + i of the run, on any rank.
torch::Tensor Latents(std::uint64_t seed, data::Stream stream, std::uint64_t cursor, std::uint64_t count,
                      std::int64_t noise_dim, torch::Device device);

// The classes for the latents of the same images, as float [count, classes] (model/classes.h) on `device`. Undefined
// when there are none.
torch::Tensor DrawClasses(const data::Classes& classes, std::uint64_t seed, data::Stream stream, std::uint64_t cursor,
                          std::uint64_t count, torch::Device device);

// This rank's share of the endless shuffled stream: real images with their latents. Not thread-safe.
class Batches {
 public:
  // `classes`: empty, or those of the data set. `noise_seed`: seed of the latents and their classes. `batch`: images
  // per call of Next. `cursor`: real images consumed so far by all ranks.
  Batches(std::shared_ptr<const data::Dataset> dataset, const data::Classes& classes, const TrainOptions& options,
          std::uint64_t noise_seed, std::uint64_t batch, const distributed::World& world, torch::Device device,
          std::uint64_t cursor);
  Batches(const Batches&) = delete;
  Batches& operator=(const Batches&) = delete;

  step::Batch Next();
  // Real images consumed by all ranks. A checkpoint stores this number as the position in the data.
  std::uint64_t cursor() const { return cursor_; }
  double wait_seconds() const;
  std::uint64_t corrupt_records() const { return loader_.corrupt_records(); }
  std::string last_corrupt() const { return loader_.last_corrupt(); }

 private:
  step::Batch Make();

  std::shared_ptr<const data::Dataset> dataset_;
  const data::Classes& classes_;
  const TrainOptions& options_;
  torch::TensorOptions home_;  // device and data type of the networks
  std::uint64_t noise_seed_;
  std::uint64_t batch_;
  std::uint64_t images_of_all_ranks_;
  std::uint64_t cursor_;
  data::Loader loader_;
  std::optional<DeviceFeed> feed_;  // on GPUs
};

}  // namespace gan::run
