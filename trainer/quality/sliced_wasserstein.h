// The sliced Wasserstein distance between the patches of two sets of images in a Laplacian pyramid (Karras et al.,
// "Progressive growing of GANs", ICLR 2018, section 5). At each size from R down to 16 px: 7x7 patches of every image,
// each colour normalised to mean 0 and standard deviation 1 over the set, projected on random directions, sorted and
// compared. A colour that is the same in all patches becomes 0.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace gan::quality {

inline constexpr std::int64_t kPatchSide = 7;
inline constexpr std::int64_t kPatchesAnImage = 32;
inline constexpr std::int64_t kDirections = 512;

// images: float [N, 3, R, R]. Returns one tensor per size, [N, kPatchesAnImage, 3, 7, 7]. The positions of image i's
// patches depend only on (seed, first_image + i), not on the batch.
std::vector<torch::Tensor> LaplacianPatches(const torch::Tensor& images, std::uint64_t seed, std::uint64_t first_image);

// Top-left corners of the patches of `count` images at one size: int64 [count, kPatchesAnImage, 2] (row, column).
torch::Tensor PatchCorners(std::uint64_t seed, std::uint64_t first_image, std::int64_t count, std::int64_t side);
// Unit vectors as columns: float [147, kDirections].
torch::Tensor Directions(std::uint64_t seed, std::uint64_t level);

// The projections of a set of patches on all directions, sorted: one tensor per size, float [kDirections, N *
// kPatchesAnImage]. Sorting is the expensive part of the distance.
std::vector<torch::Tensor> SortedProjections(const std::vector<torch::Tensor>& patches, std::uint64_t seed);

// The mean over the sizes of the mean distance along the directions. sorted: SortedProjections of as many patches with
// the same seed.
double SlicedWasserstein(const std::vector<torch::Tensor>& sorted, const std::vector<torch::Tensor>& patches,
                         std::uint64_t seed);

}  // namespace gan::quality
