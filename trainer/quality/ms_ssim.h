#pragma once

#include <torch/types.h>

namespace gan::quality {

// Multi-scale structural similarity of image pairs (Wang et al., "Multi-scale structural similarity for image quality
// assessment", 2003), computed as in pytorch-msssim with win_size=7: Gaussian window 7, sigma 1.5, five scales. Images
// smaller than 97 px have as many scales as fit, with the weights scaled to the same sum. a, b: float [N, 3, R, R] in
// [-1, 1], R at least 7. Returns [N] in [0, 1]; 1 for equal images.
torch::Tensor MsSsim(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace gan::quality
