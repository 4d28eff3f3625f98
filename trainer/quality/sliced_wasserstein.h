// Sliced Wasserstein distance between sets of images on the patches of a Laplacian pyramid (Karras et al., "Progressive
// growing of GANs", ICLR 2018, section 5): at each size from R down to 16 px, patches of 7x7 from every image, each
// colour brought to mean 0 and deviation 1 over the set, projected on random directions, sorted, and compared.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "trainer/distributed/communicator.h"

namespace gan::quality {

inline constexpr std::int64_t kPatchSide = 7;
inline constexpr std::int64_t kPatchesAnImage = 32;
inline constexpr std::int64_t kDirections = 512;

// images: float [N, 3, R, R]. One tensor a size, [N, kPatchesAnImage, 3, 7, 7]. Image i's patches lie where (seed,
// first_image + i) says, on whatever rank.
std::vector<torch::Tensor> LaplacianPatches(const torch::Tensor& images, std::uint64_t seed, std::uint64_t first_image);

// Top-left corners of the patches of `count` images at one size: int64 [count, kPatchesAnImage, 2] (row, column).
torch::Tensor PatchCorners(std::uint64_t seed, std::uint64_t first_image, std::int64_t count, std::int64_t side);
// Unit vectors as columns: float [147, kDirections].
torch::Tensor Directions(std::uint64_t seed, std::uint64_t level);

// Collective. Mean over the sizes of the mean distance along the directions. a, b: the same patches on every rank,
// equal numbers in both. The ranks share the directions.
double SlicedWasserstein(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b, std::uint64_t seed,
                         distributed::Communicator& communicator);

}  // namespace gan::quality
