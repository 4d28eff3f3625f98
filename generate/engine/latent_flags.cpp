#include "generate/engine/latent_flags.h"

namespace gan::generate {

void AddLatentFlags(CLI::App& app, GenerateOptions& o) {
  const std::string group = "Changing latents";
  app.add_option(
         "--truncation", o.truncation,
         "Multiply each latent by PSI. Below 1 the images are more typical and less varied; 0 makes them all the "
         "same.")
      ->check(CLI::Range(0.0, 2.0))
      ->type_name("PSI")
      ->group(group)
      ->capture_default_str();
}

}  // namespace gan::generate
