#include "preprocess/flags.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string_view>

#include "storage/errors.h"

namespace gan::preprocess {

namespace {

using cli::Choice;

// The manifest contains these names, so the pipeline owns them.
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
     "column of a table, or folders"}};
constexpr Choice<bool> kDedupe[] = {{false, "off", "keep all files"},
                                    {true, "exact", "keep the first of all files with the same bytes"}};

void AddInputFlags(CLI::App& app, PreprocessOptions& o) {
  const std::string group = "Input and output";
  app.add_option("--in", o.inputs,
                 "Folder of images (with its subfolders), archive (.zip, .7z, or a .tar, compressed or not), "
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
  cli::AddChoice(app, "--filter", o.filter, kFilters, "Filter of the resize.")->group(group);
  cli::AddChoice(app, "--decode", o.mode, kModes, "How JPEGs are decoded.")->group(group);
  app.add_option("--background", flags.background, "Colour behind transparent pixels, from 0,0,0 to 255,255,255.")
      ->type_name("R,G,B")
      ->group(group)
      ->capture_default_str();
  cli::AddChoice(app, "--exif", o.decode.apply_exif, kExif, "Use of the EXIF orientation.")->group(group);
  app.add_option("--min-side", o.decode.min_side, "Reject images with fewer pixels on their shorter side.")
      ->check(CLI::Range(1, 1 << 30))
      ->group(group)
      ->capture_default_str();
  app.add_option("--crop", flags.crop,
                 "Square of the image that is kept.\n"
                 "center: the middle.\n"
                 "top: the top of tall images, where heads are; the middle of wide ones.\n"
                 "none-below N: the middle; rejects images that would keep less than N per cent of their longer side.")
      ->type_name("NAME [N]")
      ->expected(1, 2)
      ->default_str("center")
      ->group(group);
  cli::AddChoice(app, "--labels", o.labels.mode, kLabels, "Where labels come from.")->group(group);
  app.add_option("--label-column", o.labels.column, "Label to take where a source has several, with --labels auto.")
      ->type_name("NAME")
      ->group(group);
  cli::AddChoice(app, "--dedupe", o.dedupe, kDedupe, "How duplicates are treated.")->group(group);
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
  cli::AddMetricsFlags(add, {flags.metrics_port, flags.metrics_address, flags.metrics_password_file});
}

// Reads the whole of `text` as a number up to `most`; empty for any other text.
std::optional<unsigned> Number(std::string_view text, unsigned most) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size() && number <= most;
  return is_number ? std::optional(number) : std::nullopt;
}

std::array<std::uint8_t, 3> ParseColour(const std::string& text) {
  std::array<std::uint8_t, 3> colour{};
  // A comma is appended, so that "1,2," has an empty fourth part and is refused.
  std::istringstream parts(text + ",");
  std::size_t count = 0;
  for (std::string part; std::getline(parts, part, ','); ++count) {
    const std::optional<unsigned> value = Number(part, 255);
    if (!value || count == colour.size()) break;
    colour[count] = static_cast<std::uint8_t>(*value);
  }
  if (count == colour.size() && parts.eof()) return colour;
  throw UsageError("--background " + text + ": must be R,G,B from 0 to 255");
}

void ParseCrop(const std::vector<std::string>& words, PreprocessOptions& options) {
  if (words.size() == 2 && words[0] == "none-below") {
    if (const unsigned per_cent = Number(words[1], 100).value_or(0); per_cent > 0) {
      options.decode.min_kept = per_cent;
      return;
    }
  }
  if (words.size() != 1 || (words[0] != "center" && words[0] != "top")) {
    throw UsageError("--crop " + words[0] + ": must be center, top, or none-below and a number from 1 to 100");
  }
  options.crop = words[0] == "top" ? Crop::kTop : Crop::kCenter;
}

}  // namespace

void AddFlags(CLI::App& app, Flags& flags) {
  AddInputFlags(app, flags.options);
  AddPictureFlags(app, flags);
  AddMachineFlags(app, flags);
}

void Resolve(Flags& flags) {
  PreprocessOptions& o = flags.options;
  if (o.inputs.empty() && o.lists.empty()) throw UsageError("--in or --list is required");
  if (std::filesystem::exists(o.output) && !std::filesystem::is_directory(o.output)) {
    throw UsageError("--out " + o.output.string() + ": is no folder");
  }
  o.decode.background = ParseColour(flags.background);
  ParseCrop(flags.crop, o);
  // Rejected, because the user would expect labels from a column that is never read.
  if (!o.labels.column.empty() && o.labels.mode != LabelMode::kAuto) {
    throw UsageError("--label-column " + o.labels.column + ": needs --labels auto");
  }
}

}  // namespace gan::preprocess
