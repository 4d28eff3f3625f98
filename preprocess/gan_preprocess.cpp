#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/build_facts.h"
#include "cli/flags.h"
#include "cli/main.h"
#include "cli/progress.h"
#include "monitoring/http_access.h"
#include "monitoring/metrics.h"
#include "picture/grid.h"
#include "picture/png.h"
#include "preprocess/inputs/lmdb.h"
#include "preprocess/pipeline/pipeline.h"
#include "preprocess/pipeline/record_worker.h"
#include "preprocess/summary.h"
#include "shard/shard_format.h"
#include "shard/shard_reader.h"
#include "storage/errors.h"
#include "storage/files.h"
#include "storage/folder_name.h"

namespace {

using gan::monitoring::Metrics;
using gan::preprocess::DecodeMode;
using gan::preprocess::Filter;
using gan::preprocess::LabelMode;
using gan::preprocess::PreprocessOptions;
using gan::preprocess::Ranks;
using gan::preprocess::Summary;

using gan::cli::Choice;

// These names stand in the manifest, too, so the pipeline owns them.
const Choice<Filter> kFilters[] = {{Filter::kBilinear, Name(Filter::kBilinear), ""},
                                   {Filter::kLanczos, Name(Filter::kLanczos), ""},
                                   {Filter::kBox, Name(Filter::kBox), ""}};
const Choice<DecodeMode> kModes[] = {
    {DecodeMode::kExact, Name(DecodeMode::kExact), "every pixel as torchvision decodes it"},
    {DecodeMode::kFast, Name(DecodeMode::kFast),
     "large JPEGs are decoded at a half, a quarter or an eighth of their size"}};
constexpr Choice<bool> kExif[] = {{true, "apply", "turn and mirror the image as its EXIF orientation says"},
                                  {false, "ignore", "keep the image as it is stored"}};
const Choice<LabelMode> kLabels[] = {
    {LabelMode::kNone, Name(LabelMode::kNone), "no labels"},
    {LabelMode::kFolder, Name(LabelMode::kFolder), "the first folder that distinguishes images"},
    {LabelMode::kAuto, Name(LabelMode::kAuto),
     "what the source has: dataset.json, metadata.csv or .jsonl, .cls or .json of a WebDataset, a list of labels, a "
     "column "
     "of a table, or folders"}};
constexpr Choice<bool> kDedupe[] = {{false, "off", "keep all files"},
                                    {true, "exact", "keep the first of all files with the same bytes"}};

struct Flags {
  PreprocessOptions options;
  std::string background = "255,255,255";
  std::vector<std::string> crop = {"center"};
  bool json = false;
  std::string metrics_port = "off";
  std::string metrics_address = "127.0.0.1";
  std::string metrics_password_file;
};

void AddInputFlags(CLI::App& app, PreprocessOptions& o) {
  const std::string group = "Input and output";
  app.add_option(
         "--in", o.inputs,
         "Folder of images (with its subfolders), archive (.zip, .7z, or .tar, also with .gz, .xz, .bz2 or .zst), "
         "image, text file of paths, or - for paths on standard input. May be repeated.")
      ->type_name("PATH")
      ->group(group);
  app.add_option("--list", o.lists, "Text file of paths, one per line or separated by NUL. May be repeated.")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--out", o.output, "Shard folder to write. An interrupted one is continued.")
      ->required()
      ->type_name("DIR")
      ->group(group);
  app.add_flag("--append", o.append, "Add the images to the finished data set in --out, as new shards.")->group(group);
  app.add_option("--images-per-shard", o.images_per_shard, "Number of inputs per shard.")
      ->check(CLI::Range(1, 1 << 20))
      ->group(group)
      ->capture_default_str();
}

void AddPictureFlags(CLI::App& app, Flags& flags) {
  const std::string group = "Pictures";
  PreprocessOptions& o = flags.options;
  app.add_option("--size", o.size, "Width and height of a record in pixels.")
      ->check(CLI::Range(8, 4096))
      ->group(group)
      ->capture_default_str();
  gan::cli::AddChoice(app, "--filter", o.filter, kFilters, "Filter of the resize.")->group(group);
  gan::cli::AddChoice(app, "--decode", o.mode, kModes, "How JPEGs are decoded.")->group(group);
  app.add_option("--background", flags.background, "Colour behind transparent pixels, from 0,0,0 to 255,255,255.")
      ->type_name("R,G,B")
      ->group(group)
      ->capture_default_str();
  gan::cli::AddChoice(app, "--exif", o.decode.apply_exif, kExif, "What the EXIF orientation does.")->group(group);
  app.add_option("--min-side", o.decode.min_side, "Reject images with fewer pixels on their shorter side.")
      ->check(CLI::Range(1, 1 << 30))
      ->group(group)
      ->capture_default_str();
  app.add_option("--crop", flags.crop,
                 "Square of the image that is kept.\n"
                 "center: the middle.\n"
                 "top: the top of tall images, where heads are; the middle of wide ones.\n"
                 "none-below N: the middle, but images of whose longer side less than N per cent remain are rejected.")
      ->type_name("NAME [N]")
      ->expected(1, 2)
      ->default_str("center")
      ->group(group);
  gan::cli::AddChoice(app, "--labels", o.labels.mode, kLabels, "Where labels come from.")->group(group);
  app.add_option("--label-column", o.labels.column, "Label to take where a source has several, with --labels auto.")
      ->type_name("NAME")
      ->group(group);
  gan::cli::AddChoice(app, "--dedupe", o.dedupe, kDedupe, "How duplicates are treated.")->group(group);
  app.add_option("--max-pixels", o.decode.max_pixels, "Reject larger images before they are decoded.")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40))
      ->group(group)
      ->capture_default_str();
  app.add_flag("--strict", o.strict, "Stop with exit code 3 at the first rejected image.")->group(group);
}

void AddMachineFlags(CLI::App& app, Flags& flags) {
  const std::string group = "Machine and reports";
  app.add_option("--threads", flags.options.threads,
                 "Number of threads. 0 uses all cores. The shards do not depend on it.")
      ->check(CLI::Range(0, 4096))
      ->group(group)
      ->capture_default_str();
  app.add_option("--preview", flags.options.preview, "PNG file to draw the first 64 images into, as a grid.")
      ->type_name("FILE")
      ->group(group);
  app.add_flag("--json", flags.json, "Print the closing summary as one JSON object.")->group(group);
  const auto add = [&app](const std::string& name, std::string& value, const std::string& help) {
    return app.add_option(name, value, help)->group("Metrics")->capture_default_str();
  };
  gan::cli::AddMetricsFlags(add, {flags.metrics_port, flags.metrics_address, flags.metrics_password_file});
}

void AddFlags(CLI::App& app, Flags& flags) {
  AddInputFlags(app, flags.options);
  AddPictureFlags(app, flags);
  AddMachineFlags(app, flags);
}

// The whole of `text` as a number up to `most`; nothing for anything else.
std::optional<unsigned> Number(std::string_view text, unsigned most) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size() && number <= most;
  return is_number ? std::optional(number) : std::nullopt;
}

std::array<std::uint8_t, 3> ParseColour(const std::string& text) {
  std::array<std::uint8_t, 3> colour{};
  std::istringstream parts(text + ",");
  std::size_t count = 0;
  for (std::string part; std::getline(parts, part, ','); ++count) {
    const std::optional<unsigned> value = Number(part, 255);
    if (!value || count == colour.size()) break;
    colour[count] = static_cast<std::uint8_t>(*value);
  }
  if (count == colour.size() && parts.eof()) return colour;
  throw gan::UsageError("--background " + text + ": must be R,G,B from 0 to 255");
}

void WritePreview(const PreprocessOptions& options) {
  constexpr std::size_t kShown = 64;
  std::vector<std::uint8_t> images;
  std::uint32_t count = 0;
  for (std::uint32_t number = 0; count < kShown; ++number) {
    const std::filesystem::path path = gan::shard::ShardFileName(options.output, number);
    if (!std::filesystem::exists(path)) break;
    const gan::shard::ShardReader shard(path);
    for (std::size_t i = 0; i < shard.size() && count < kShown; ++i, ++count) {
      const auto* record = reinterpret_cast<const std::uint8_t*>(shard.Record(i).data());
      images.insert(images.end(), record, record + shard.record_bytes());
    }
    shard.RequireRead();
  }
  const gan::picture::GridImage grid = gan::picture::Grid(images, count, options.size, 8);
  gan::picture::WritePng(options.preview, grid.pixels, grid.width, grid.height);
}

void ParseCrop(const std::vector<std::string>& words, PreprocessOptions& options) {
  if (words.size() == 2 && words[0] == "none-below") {
    if (const unsigned per_cent = Number(words[1], 100).value_or(0); per_cent > 0) {
      options.decode.min_kept = per_cent;
      return;
    }
  }
  if (words.size() != 1 || (words[0] != "center" && words[0] != "top")) {
    throw gan::UsageError("--crop " + words[0] + ": must be center, top, or none-below and a number from 1 to 100");
  }
  options.crop = words[0] == "top" ? gan::preprocess::Crop::kTop : gan::preprocess::Crop::kCenter;
}

void Prepare(Flags& flags) {
  PreprocessOptions& o = flags.options;
  if (o.inputs.empty() && o.lists.empty()) throw gan::UsageError("--in or --list is required");
  if (std::filesystem::exists(o.output) && !std::filesystem::is_directory(o.output)) {
    throw gan::UsageError("--out " + o.output.string() + ": is no folder");
  }
  o.decode.background = ParseColour(flags.background);
  ParseCrop(flags.crop, o);
  if (!o.labels.column.empty() && o.labels.mode != LabelMode::kAuto) {
    throw gan::UsageError("--label-column " + o.labels.column + ": needs --labels auto");
  }
}

// Before hours of work, not after them. --out and the folders above it will be made.
void RequirePreviewFolder(const std::filesystem::path& preview, const std::filesystem::path& out) {
  if (preview.empty()) return;
  const auto folder = std::filesystem::absolute(preview).lexically_normal().parent_path();
  const auto made = std::filesystem::absolute(out).lexically_normal();
  const bool will_be_made = std::mismatch(folder.begin(), folder.end(), made.begin(), made.end()).first == folder.end();
  if (will_be_made && !std::filesystem::exists(folder)) return;
  gan::storage::RequireWritable("--preview", preview);
}

std::unique_ptr<Metrics> OpenMetrics(const Flags& flags, const Ranks& ranks) {
  gan::monitoring::MetricsOptions options{.address = flags.metrics_address,
                                          .port = gan::cli::MetricsPort(flags.metrics_port)};
  if (options.port < 0) return nullptr;
  options.rank = ranks.rank();
  options.local_rank = ranks.local_rank();
  options.constant_labels = {{"run", gan::storage::NameOfFolder(flags.options.output)}};
  options.prefixes = {"gan_preprocess_", "gan_build_info", "process_"};
  if (!flags.metrics_password_file.empty()) {
    options.credentials = gan::monitoring::ReadCredentials(flags.metrics_password_file);
  }
  auto metrics = std::make_unique<Metrics>(options);
  if (!metrics->serving()) std::cerr << "gan-preprocess: no metrics: " + metrics->why() + "\n";
  if (metrics->serving()) std::cerr << "metrics: http://" + metrics->address() + "/metrics\n";
  const std::string warning = gan::monitoring::OpenAccessWarning({.listens_on = options.address,
                                                                  .reached_at = metrics->address(),
                                                                  .credentials = options.credentials,
                                                                  .shows = "the metrics",
                                                                  .password_flag = "--metrics-password-file"});
  if (metrics->serving() && !warning.empty()) std::cerr << "gan-preprocess: warning: " + warning + "\n";
  return metrics;
}

int Run(Flags& flags, Ranks& ranks) {
  Prepare(flags);
  ranks = Ranks::Join();
  if (ranks.size() > 1) gan::cli::SetErrorPrefix("[rank " + std::to_string(ranks.rank()) + "] ");
  if (ranks.rank() == 0) RequirePreviewFolder(flags.options.preview, flags.options.output);
  const auto start = std::chrono::steady_clock::now();
  std::optional<gan::cli::ProgressBar> bar;
  const auto show = [&](std::uint64_t done, std::uint64_t total) {
    if (ranks.rank() > 0) return;
    if (!bar) bar.emplace("pictures", total);
    bar->Update(done);
  };
  const std::unique_ptr<Metrics> metrics = OpenMetrics(flags, ranks);
  const auto count = [&](std::string_view result) {
    if (metrics) metrics->Add(gan::monitoring::Metric::kPreprocessImages, 1, result);
  };
  const Summary summary = gan::preprocess::Preprocess(flags.options, ranks, {show, count});
  bar.reset();
  ranks.Finish();
  if (ranks.rank() > 0) return gan::cli::kDone;
  if (!flags.options.preview.empty()) WritePreview(flags.options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto text = flags.json ? gan::preprocess::SummaryAsJson : gan::preprocess::SummaryInWords;
  std::cout << text(summary, flags.options, seconds);
  return summary.left_to_try > 0 ? gan::cli::kStoppedSaved : gan::cli::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  gan::preprocess::BecomeWorkerWhenAsked(argc, argv);
  gan::preprocess::BecomeLmdbReaderWhenAsked(argc, argv);
  CLI::App app(
      "Turns images into shards for gan-train, pixel for pixel as torchvision does.\n"
      "The same command continues a run that was interrupted.\n\n"
      "Examples:\n"
      "  $ gan-preprocess --in photos/ --out shards/ --preview preview.png\n"
      "  $ gan-preprocess --in photos.tar --labels folder --dedupe exact --out shards/\n"
      "  $ find photos/ -name '*.jpg' -print0 | gan-preprocess --in - --out shards/\n"
      "  $ mpirun -np 4 gan-preprocess --in more/ --append --out shards/",
      "gan-preprocess");
  Flags flags;
  AddFlags(app, flags);
  gan::cli::AddStandardFlags(app, gan::cli::BuildFacts());
  Ranks ranks;
  const int code = gan::cli::RunMain(app, argc, argv, gan::cli::Company::kRanks, [&] { return Run(flags, ranks); });
  if (code != gan::cli::kDone) ranks.Abort(code);  // the others would wait for this one
  return code;
}
