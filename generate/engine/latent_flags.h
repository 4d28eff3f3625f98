#pragma once

#include <CLI/CLI.hpp>

#include "generate/engine/options.h"

namespace gan::generate {

// Declares the flags that change and combine latents. Parsing stores their values in `options`.
void AddLatentFlags(CLI::App& app, GenerateOptions& options);

// Checks these flags against the others and sets the defaults that depend on them. Throws UsageError.
void SettleLatentFlags(const CLI::App& app, GenerateOptions& options);

}  // namespace gan::generate
