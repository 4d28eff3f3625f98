#pragma once

#include <vector>

#include "generate/engine/generator.h"

namespace gan::exporting {

// A generator of one class as a plain nn.Sequential: a Conv2d of one pixel before its layers passes the latent through
// and appends the class's embedding, which is its bias. Both vectors are empty unless the generator has exactly one
// class.
struct AppendedClass {
  std::vector<float> weight;  // float [inputs, noise_dim, 1, 1]
  std::vector<float> bias;    // float [inputs]
};
AppendedClass AppendedClassOf(const generate::Generator& generator);

}  // namespace gan::exporting
