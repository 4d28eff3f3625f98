// The modules that class-conditional networks have beside their layers. forward() of the nn.Sequential does not call
// them, so the names of all other tensors stay those of the unconditional networks:
//     G: class_embedding.weight [classes, NetworkOptions::kClassEmbedding]; the row of a class is appended to the
//   latent.
//     D: class_projection.weight [classes, channels], the projection of Miyato and Koyama ("cGANs with projection
//           discriminator", ICLR 2018): the product of a class's row with the last feature map, averaged over its
//      pixels as
//           for D's last layer, is added to the logit. With spectral normalisation it is [classes, channels, 1, 1] and
//           normalised as well.
//
// Classes are given as float [N, classes]. Each row adds up to 1: a single 1 for an image (OneHot), or several
// fractions for an image that is a mixture.
#pragma once

#include <torch/nn/modules/container/sequential.h>

#include <cstdint>
#include <vector>

#include "trainer/model/network_options.h"

namespace gan::model {

inline constexpr const char* kClassEmbeddingWeight = "class_embedding.weight";
inline constexpr const char* kClassProjectionWeight = "class_projection.weight";

// The classes as one-hot rows, float [N, count], on the CPU.
torch::Tensor OneHot(const std::vector<std::uint32_t>& classes, std::size_t count);

// Do nothing for networks without classes. Call them last, because the random numbers of initial weights follow the
// order of the parameters.
void AddClassEmbedding(torch::nn::Sequential& generator, const NetworkOptions& options);
void AddClassProjection(torch::nn::Sequential& discriminator, const NetworkOptions& options, std::int64_t channels);
// Whether `name` is a parameter or a buffer of one of the two modules.
bool IsOfClasses(const std::string& name);

// The input of G's first layer: the latents [N, noise_dim, 1, 1], with the embeddings of `classes` appended unless the
// network has none.
torch::Tensor GeneratorInput(const torch::nn::Sequential& generator, const torch::Tensor& latents,
                             const torch::Tensor& classes);

// The term of each image's class in D's logit, [N, 1]; undefined without classes. last: D's last feature map
// [N, channels, s, s].
torch::Tensor ClassTerm(const torch::nn::Sequential& discriminator, const torch::Tensor& last,
                        const torch::Tensor& classes);

}  // namespace gan::model
