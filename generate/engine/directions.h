// Directions in the space of latents along which the images change most, and sheets that show them.
#pragma once

#include <cstddef>

#include "generate/engine/generator.h"
#include "generate/engine/latents.h"

namespace gan::generate {

// All noise_dim principal components of the first layer's output, before its ReLU, for standard normal latents. They
// are unit vectors, sorted by falling variance; the largest number of each is positive. They are the eigenvectors of
// the covariance of that layer, which its weights and its batch norm's scales give in closed form (Shen and Zhou,
// "Closed-form factorization of latent semantics in GANs", CVPR 2021; Haerkoenen et al., "GANSpace", NeurIPS 2020).
Latents PrincipalDirections(const Generator& generator);

// Rows of a sheet: row i has `columns` latents, `base` plus steps from -strength to +strength along direction i. base:
// one latent. rows <= directions.count(), columns >= 2.
Latents Sheet(const Latents& base, const Latents& directions, std::size_t rows, std::size_t columns, double strength);

}  // namespace gan::generate
