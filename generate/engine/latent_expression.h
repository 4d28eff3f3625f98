// Latents by arithmetic: "seed:1 - seed:2 + 0.5 * smile.npy[3]".
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "generate/engine/latents.h"

namespace gan::generate {

struct LatentTerm {
  double factor = 1;   // with the sign
  std::string source;  // "seed:1", or a file as for --latents, with [i] appended for its row i
};

// Terms with + and - between them; each may begin with a number and *. Signs have spaces on both sides, because file
// names may contain them. A name with spaces is written in double quotes. Throws UsageError naming the place.
std::vector<LatentTerm> ParseLatentExpression(const std::string& text);

// One latent per expression. Throws UsageError: no expression, a file of several latents without [i], a sum that is not
// finite; DataError: a file that is missing or has no latents of this length.
Latents FromExpressions(const std::vector<std::string>& expressions, std::size_t noise_dim);

}  // namespace gan::generate
