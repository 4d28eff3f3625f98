#include "generate/export/appended_class.h"

#include <algorithm>

namespace gan::exporting {

AppendedClass AppendedClassOf(const generate::Generator& generator) {
  if (!generator.classes || generator.classes->names.size() != 1) return {};
  const std::size_t inputs = generator.inputs(), noise = generator.noise_dim();
  AppendedClass appended{std::vector<float>(inputs * noise, 0), std::vector<float>(inputs, 0)};
  // The unit matrix passes the latent through exactly: products with 1 and sums with 0 are not rounded.
  for (std::size_t i = 0; i < noise; ++i) appended.weight[i * noise + i] = 1;
  std::ranges::copy(generator.classes->embedding, appended.bias.begin() + static_cast<std::ptrdiff_t>(noise));
  return appended;
}

}  // namespace gan::exporting
