#include "generate/project/project.h"

#include <chrono>
#include <iostream>
#include <numeric>

#include <nlohmann/json.hpp>

#include "cli/progress.h"
#include "generate/engine/classes.h"
#include "generate/engine/generate.h"
#include "generate/engine/marker.h"
#include "generate/engine/npy.h"
#include "generate/engine/recipe.h"
#include "generate/project/photographs.h"
#include "picture/grid.h"
#include "picture/png.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::project {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

// Names may contain bytes that are not UTF-8.
std::string Line(const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

// The names of the result files of a photograph. A folder's results keep the names and the folders below the source, so
// that no two photographs share a name.
struct Names {
  fs::path image, latent, facts;
};

Names NamesFor(const fs::path& photograph, const generate::GenerateOptions& generate, const ProjectOptions& options) {
  if (generate.kind() == generate::OutputKind::kGrid) {
    fs::path latent = generate.out, facts = generate.out;
    return {generate.out, latent.replace_extension(".npy"), facts.replace_extension(".json")};
  }
  const bool folder = fs::is_directory(options.source);
  const fs::path relative = folder ? photograph.lexically_relative(options.source) : photograph.filename();
  // The ending stays part of the name, since a folder may hold a.jpg and a.png.
  const std::string base = (generate.out / relative).string();
  return {base + ".png", base + ".npy", base + ".json"};
}

// Sets the classes of --class, or all.
ProjectionOptions WithClasses(ProjectionOptions search, const generate::GenerateOptions& generate,
                              const generate::TrainedGenerator& trained) {
  if (!generate.classes.empty()) {
    search.classes = generate::ChooseClasses(generate.classes, trained.generator);
  } else if (trained.generator.classes) {
    search.classes.resize(trained.generator.classes->names.size());
    std::iota(search.classes.begin(), search.classes.end(), 0);
  }
  return search;
}

class Run {
 public:
  Run(const generate::GenerateOptions& generate, const ProjectOptions& options,
      const generate::TrainedGenerator& trained)
      : generate_(generate),
        options_(options),
        trained_(trained),
        photographs_(ListPhotographs(options.source, generate.out)),
        projector_(trained.generator, LoadDiscriminator(trained), WithClasses(options.search, generate, trained)),
        bar_("project", photographs_.size() * TotalSteps(options.search)) {}

  void All() {
    const fs::path folder = generate_.kind() == generate::OutputKind::kFolder ? generate_.out : fs::path();
    if (!folder.empty()) storage::MakeFolders(folder);  // fails before the search, not after it
    for (std::size_t i = 0; i < photographs_.size(); ++i) One(i);
    bar_.Finish();
    if (latents_.empty()) throw DataError(options_.source, last_error_);
    if (generate_.kind() == generate::OutputKind::kFolder) WriteSummary();
    // Printed at the end, because lines in between would break the progress bar.
    std::cout << said_ << std::flush;
  }

 private:
  void One(std::size_t number) {
    const fs::path& photograph = photographs_[number];
    try {
      const std::vector<float> wanted = ReadPhotograph(photograph, projector_.side());
      const auto start = std::chrono::steady_clock::now();
      const std::size_t steps = TotalSteps(options_.search);
      const Projection found = projector_.Project(
          wanted, [&](std::size_t done) { bar_.Update(number * steps + done, photograph.filename().string()); });
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      Write(photograph, wanted, found, taken.count());
    } catch (const DataError& error) {
      // A file in a folder that cannot be read as a photograph is left out; a named file that cannot be read is an
      // error.
      if (photographs_.size() == 1) throw;
      last_error_ = std::string("none of the files is a photograph; the last one: ") + error.what();
      std::cerr << "gan-generate: " + std::string(error.what()) + "; it is left out\n";
      lines_ += Line({{"photograph", photograph.string()}, {"error", error.what()}});
    }
  }

  void Write(const fs::path& photograph, const std::vector<float>& wanted, const Projection& found, double seconds) {
    const Names names = NamesFor(photograph, generate_, options_);
    if (names.image.has_parent_path()) storage::MakeFolders(names.image.parent_path());
    WriteSideBySide(names.image, wanted, found);
    generate::WriteNpy(names.latent, {1, found.latent.size()}, found.latent);
    Json facts = {{"photograph", photograph.string()},
                  {"image", names.image.string()},
                  {"latent", names.latent.string()},
                  {"psnr_db", found.distances.PeakSignalToNoise()},
                  {"pixel_distance", found.distances.pixels},
                  {"feature_distance", found.distances.features},
                  {"seconds", seconds}};
    const std::vector<std::string> of_class = generate::NamesOf(found.of_class, trained_.generator);
    if (!of_class.empty()) facts["class"] = of_class.front();
    storage::WriteFileAtomically(names.facts, facts.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    lines_ += Line(facts);
    latents_.insert(latents_.end(), found.latent.begin(), found.latent.end());
    char text[64];
    std::snprintf(text, sizeof text, "%.1f dB, %.1f s", found.distances.PeakSignalToNoise(), seconds);
    said_ += photograph.string() + ": " + (of_class.empty() ? "" : of_class.front() + ", ") + text + ", " +
             names.image.string() + "\n";
  }

  // The photograph on the left, the image on the right.
  void WriteSideBySide(const fs::path& file, const std::vector<float>& wanted, const Projection& found) {
    const std::size_t side = projector_.side();
    std::vector<float> both = wanted;
    both.insert(both.end(), found.image.begin(), found.image.end());
    const picture::GridImage grid = picture::Grid(generate::ToRgb(both, side), 2, static_cast<std::uint32_t>(side), 2);
    picture::WritePng(file, grid.pixels, grid.width, grid.height, MarkFor(found));
  }

  std::optional<picture::Mark> MarkFor(const Projection& found) const {
    if (!generate_.mark) return std::nullopt;
    picture::Mark mark = generate::MarkOf(trained_);
    mark.source_type = picture::kCompositeSynthetic;
    const generate::Latents latent{.noise_dim = found.latent.size(), .values = found.latent, .seeds = {}};
    generate::AddRecipe({.latents = latent, .classes = generate::NamesOf(found.of_class, trained_.generator)}, mark);
    mark.prompt = "a photograph, on the left, and the generated image that is nearest to it";
    return mark;
  }

  void WriteSummary() {
    const std::size_t n = trained_.generator.noise_dim();
    generate::WriteNpy(generate_.out / "latents.npy", {latents_.size() / n, n}, latents_);
    storage::WriteFileAtomically(generate_.out / "projections.jsonl", lines_);
  }

  const generate::GenerateOptions& generate_;
  const ProjectOptions& options_;
  const generate::TrainedGenerator& trained_;
  std::vector<fs::path> photographs_;
  Projector projector_;
  cli::ProgressBar bar_;
  std::vector<float> latents_;  // of all photographs that were read
  std::string lines_, said_, last_error_;
};

}  // namespace

void ProjectPhotographs(const generate::GenerateOptions& generate, const ProjectOptions& options,
                        const generate::TrainedGenerator& trained) {
  Run(generate, options, trained).All();
}

}  // namespace gan::project
