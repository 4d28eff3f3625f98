#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "generate/engine/load.h"

namespace gan::generate {

// The kind of output that --out asks for by its file name extension; "-" is a PNG grid on standard output.
enum class OutputKind { kNone, kGrid, kStdout, kAnimation, kMovie, kArray, kFolder };

constexpr std::size_t kMostImagesOfACall = 1'000'000;

struct GenerateOptions {
  std::filesystem::path checkpoint;
  Weights weights = Weights::kAuto;

  std::uint64_t count = 64;
  std::uint64_t seed = 0;  // picture i has seed + i
  std::string seeds;       // a list of seeds instead
  std::filesystem::path latents;
  bool count_given = false;
  std::vector<std::string> classes;      // names, several with commas between them
  double truncation = 1;                 // factor for every latent
  std::vector<std::string> expressions;  // instead of seeds and latents: one latent each (latent_expression.h)
  std::size_t sheet_rows = 0;            // 0: no sheet
  std::filesystem::path along;           // directions of the sheet; empty: those of largest change
  double strength = 3;                   // of a sheet: distance in both directions
  std::filesystem::path directions;      // file to write the directions of largest change to
  std::size_t interpolate = 0;           // images from one latent to the next; 0: no walk

  std::filesystem::path out;
  std::size_t columns = 0;  // of a grid; 0: as many as rows
  double frames_per_second = 24;
  bool mark = true;  // PNG, WebP and MP4 files say that they are generated, and from what
  std::filesystem::path export_folder;
  std::filesystem::path onnx;

  std::size_t batch = 32;
  int threads = 0;  // 0: all cores

  OutputKind kind() const;
};

// Declares every flag of gan-generate on `app`, grouped. Parsing stores their values in `options`.
void AddGenerateFlags(CLI::App& app, GenerateOptions& options);

// Checks flags against each other and sets the defaults that depend on other flags. Throws UsageError.
void Settle(const CLI::App& app, GenerateOptions& options);

// Throws UsageError when a file that the options name could not be written; before the work starts.
void RequireWritableOutputs(const GenerateOptions& options);

}  // namespace gan::generate
