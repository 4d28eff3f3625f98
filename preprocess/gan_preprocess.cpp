#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/build_facts.h"
#include "cli/main.h"
#include "cli/progress.h"
#include "monitoring/http_access.h"
#include "monitoring/metrics.h"
#include "picture/grid.h"
#include "picture/png.h"
#include "preprocess/decode/opencv_worker.h"
#include "preprocess/inputs/lmdb.h"
#include "preprocess/label_words.h"
#include "preprocess/pipeline/pipeline.h"
#include "shard/shard_format.h"
#include "shard/shard_reader.h"
#include "storage/errors.h"

namespace {

using gan::monitoring::Metrics;
using gan::preprocess::DecodeMode;
using gan::preprocess::Filter;
using gan::preprocess::LabelMode;
using gan::preprocess::PreprocessOptions;
using gan::preprocess::Ranks;
using gan::preprocess::Summary;

constexpr std::array kFilters = {Filter::kBilinear, Filter::kLanczos, Filter::kBox};
constexpr std::array kLabelModes = {LabelMode::kNone, LabelMode::kFolder, LabelMode::kAuto};
constexpr std::array kModes = {DecodeMode::kExact, DecodeMode::kFast};

template <typename Choices>
std::vector<std::string> NamesOf(const Choices& choices) {
  std::vector<std::string> names;
  names.reserve(choices.size());
  for (const auto choice : choices) names.emplace_back(Name(choice));
  return names;
}

// `name` is one of theirs: CLI11 has checked it.
template <typename Choices>
auto Named(const std::string& name, const Choices& choices) {
  return *std::find_if(choices.begin(), choices.end(), [&](auto choice) { return Name(choice) == name; });
}

struct Flags {
  PreprocessOptions options;
  std::string filter = "bilinear";
  std::string decode = "exact";
  std::string background = "255,255,255";
  std::string exif = "apply";
  std::string labels = "none";
  std::string dedupe = "off";
  bool json = false;
  std::string metrics_port = "off";
  std::string metrics_address = "127.0.0.1";
  std::string metrics_password_file;
};

void AddFlags(CLI::App& app, Flags& flags) {
  PreprocessOptions& o = flags.options;
  app.add_option("--in", o.inputs,
                 "Folder of pictures (recursive), archive (.zip, .7z, .tar[.gz|.xz|.bz2|.zst]), picture, text file of "
                 "paths, or - for paths on standard input; may be repeated");
  app.add_option("--list", o.lists, "Text file of paths, one a line (or NUL between them); may be repeated");
  app.add_option("--out", o.output, "Shard folder to make or to continue")->required();
  app.add_option("--size", o.size, "Pixels a side")->check(CLI::Range(8, 4096))->capture_default_str();
  app.add_option("--filter", flags.filter, "bilinear, lanczos or box")
      ->check(CLI::IsMember(NamesOf(kFilters)))
      ->capture_default_str();
  app.add_option("--decode", flags.decode, "exact, or fast: large JPEGs are decoded at a half, a quarter or an eighth")
      ->check(CLI::IsMember(NamesOf(kModes)))
      ->capture_default_str();
  app.add_option("--background", flags.background, "R,G,B that transparent pictures stand on")->capture_default_str();
  app.add_option("--exif", flags.exif, "apply or ignore the EXIF orientation")
      ->check(CLI::IsMember({"apply", "ignore"}))
      ->capture_default_str();
  app.add_option(
         "--labels", flags.labels,
         "none; folder: the first folder that tells pictures apart; auto: what the source has, be it dataset.json, "
         "metadata.csv, .cls of a WebDataset, a column of a table, or folders")
      ->check(CLI::IsMember(NamesOf(kLabelModes)))
      ->capture_default_str();
  app.add_option("--label-column", o.labels.column, "Where a source has several labels: the one to take");
  app.add_option("--images-per-shard", o.images_per_shard, "Inputs that a shard covers")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--threads", o.threads, "0: all cores; changes no byte")->check(CLI::Range(0, 4096));
  app.add_option("--max-pixels", o.decode.max_pixels, "Larger pictures are rejected before they are decoded")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40))
      ->capture_default_str();
  app.add_flag("--append", o.append, "Add these pictures to the finished data set in --out, in new shards");
  app.add_option("--dedupe", flags.dedupe, "off, or exact: of files with the same bytes only the first is taken")
      ->check(CLI::IsMember({"off", "exact"}))
      ->capture_default_str();
  app.add_flag("--strict", o.strict, "The first rejected picture is an error (exit code 3)");
  app.add_option("--metrics-port", flags.metrics_port,
                 "Prometheus port of local rank 0, the next rank the next; 0: any; off")
      ->capture_default_str()
      ->group("Metrics while it runs");
  app.add_option("--metrics-address", flags.metrics_address, "Address that serves them")
      ->capture_default_str()
      ->group("Metrics while it runs");
  app.add_option("--metrics-password-file", flags.metrics_password_file,
                 "Ask for what its one line says, user:password")
      ->group("Metrics while it runs");
  app.add_option("--preview", o.preview, "PNG grid of the first pictures");
  app.add_flag("--json", flags.json, "The closing summary as one JSON object");
}

std::array<std::uint8_t, 3> ParseColour(const std::string& text) {
  std::array<unsigned, 3> c{};
  char rest = 0;
  if (std::sscanf(text.c_str(), "%u,%u,%u%c", &c[0], &c[1], &c[2], &rest) != 3 || c[0] > 255 || c[1] > 255 ||
      c[2] > 255) {
    throw gan::UsageError("--background " + text + ": must be R,G,B from 0 to 255");
  }
  return {static_cast<std::uint8_t>(c[0]), static_cast<std::uint8_t>(c[1]), static_cast<std::uint8_t>(c[2])};
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

nlohmann::ordered_json LeftOutJson(const gan::preprocess::LeftOut& left_out) {
  nlohmann::ordered_json kinds = nlohmann::ordered_json::object();
  for (const auto& [kind, found] : left_out.kinds()) {
    kinds[kind] = {{"files", found.files}, {"examples", found.examples}};
  }
  return kinds;
}

void PrintJson(const Summary& s, const PreprocessOptions& options, double seconds) {
  const nlohmann::ordered_json summary = {{"out", options.output.string()},
                                          {"already_complete", s.already_complete},
                                          {"inputs", s.inputs},
                                          {"accepted", s.accepted},
                                          {"rejected", s.rejected},
                                          {"left_to_try", s.left_to_try},
                                          {"left_out", LeftOutJson(s.left_out)},
                                          {"records", s.total},
                                          {"labels", gan::preprocess::LabelsJson(s)},
                                          {"notes", s.notes},
                                          {"inputs_done_before", s.kept_from_before},
                                          {"bytes_read", s.bytes_read},
                                          {"seconds", seconds}};
  std::cout << summary.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

void PrintSummary(const Summary& s, const PreprocessOptions& options, double seconds) {
  std::ostringstream text;
  if (s.already_complete) {
    text << options.output.string() << " is complete already: " << s.total << " pictures. Nothing to do.\n";
  } else {
    text << s.accepted << " of " << s.inputs << " pictures in " << options.output.string();
    for (const auto& [reason, count] : s.rejected) text << ", " << count << " " << reason;
    const double made = static_cast<double>(s.inputs - s.kept_from_before);
    char speed[96];
    std::snprintf(speed, sizeof speed, "  (%.0f images/s, %.1f MB/s, %s)", made / seconds,
                  static_cast<double>(s.bytes_read) / 1e6 / seconds,
                  gan::cli::FormatDuration(std::chrono::duration<double>(seconds)).c_str());
    text << speed << "\n";
    if (s.total > s.accepted) text << "the data set now has " << s.total << " pictures\n";
    if (s.kept_from_before > 0) text << "continued: " << s.kept_from_before << " inputs were done before\n";
    if (!s.rejected.empty())
      text << "rejected ones: " << (options.output / gan::shard::kQuarantineName).string() << "\n";
  }
  if (!s.labels.empty()) text << gan::preprocess::LabelWords(s) << "\n";
  for (const std::string& note : s.notes) text << "note: " << note << "\n";
  if (s.left_out.files() > 0) text << "left out, no pictures: " << s.left_out.Words() << "\n";
  if (s.left_to_try > 0) {
    text << s.left_to_try << " of the inputs could not be read for a reason that may pass; the same command tries them "
         << "again\n";
  }
  text << "next: mpirun -np 2 gan-train --shards " << options.output.string() << "\n";
  std::cout << text.str();
}

void Prepare(Flags& flags) {
  PreprocessOptions& o = flags.options;
  if (o.inputs.empty() && o.lists.empty()) throw gan::UsageError("--in or --list is required");
  if (o.output.empty()) throw gan::UsageError("--out is empty");
  o.filter = Named(flags.filter, kFilters);
  o.mode = Named(flags.decode, kModes);
  o.decode.background = ParseColour(flags.background);
  o.decode.apply_exif = flags.exif == "apply";
  o.labels.mode = Named(flags.labels, kLabelModes);
  if (!o.labels.column.empty() && o.labels.mode != LabelMode::kAuto) {
    throw gan::UsageError("--label-column " + o.labels.column + ": needs --labels auto");
  }
  o.dedupe = flags.dedupe == "exact";
}

// Before hours of work, not after them. --out and the folders above it will be made.
void RequirePreviewFolder(const std::filesystem::path& preview, const std::filesystem::path& out) {
  if (preview.empty() || !preview.has_parent_path() || std::filesystem::is_directory(preview.parent_path())) return;
  const auto folder = std::filesystem::absolute(preview).lexically_normal().parent_path();
  const auto made = std::filesystem::absolute(out).lexically_normal();
  if (std::mismatch(folder.begin(), folder.end(), made.begin(), made.end()).first == folder.end()) return;
  throw gan::UsageError("--preview " + preview.string() + ": " + preview.parent_path().string() + " is no folder");
}

int Port(const std::string& text) {
  if (text == "off") return -1;
  const bool number = !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string::npos;
  if (!number || std::stoi(text) > 65535) {
    throw gan::UsageError("--metrics-port " + text + ": must be a port, 0 or off");
  }
  return std::stoi(text);
}

std::unique_ptr<Metrics> OpenMetrics(const Flags& flags, const Ranks& ranks) {
  gan::monitoring::MetricsOptions options{.address = flags.metrics_address, .port = Port(flags.metrics_port)};
  if (options.port < 0) return nullptr;
  options.rank = ranks.rank();
  options.local_rank = ranks.local_rank();
  options.constant_labels = {{"run", std::filesystem::absolute(flags.options.output / ".").parent_path().filename()}};
  options.prefixes = {"gan_preprocess_", "gan_build_info", "process_"};
  if (!flags.metrics_password_file.empty()) {
    options.credentials = gan::monitoring::ReadCredentials(flags.metrics_password_file);
  }
  auto metrics = std::make_unique<Metrics>(options);
  if (!metrics->serving()) std::cerr << "gan-preprocess: no metrics: " + metrics->why() + "\n";
  if (metrics->serving()) std::cerr << "metrics: http://" + metrics->address() + "/metrics\n";
  if (metrics->serving() && options.credentials.empty() && !gan::monitoring::IsLoopback(options.address)) {
    std::cerr << "gan-preprocess: anybody who reaches " + metrics->address() +
                     " can read the metrics; --metrics-password-file asks for a password\n";
  }
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
  (flags.json ? PrintJson : PrintSummary)(summary, flags.options, seconds);
  return summary.left_to_try > 0 ? gan::cli::kStoppedSaved : gan::cli::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  gan::preprocess::BecomeOpenCvWorkerWhenAsked(argc, argv);
  gan::preprocess::BecomeLmdbReaderWhenAsked(argc, argv);
  CLI::App app(
      "Turns pictures into shards that gan-train reads, pixel for pixel as torchvision does.\n"
      "The same command again continues where it was interrupted.\n"
      "Examples: gan-preprocess --in photos/ --out shards/ --preview preview.png\n"
      "          gan-preprocess --in photos.tar.zst --labels folder --dedupe exact --out shards/\n"
      "          find photos/ -name '*.jpg' -print0 | gan-preprocess --in - --out shards/\n"
      "          mpirun -np 4 gan-preprocess --in more/ --append --out shards/",
      "gan-preprocess");
  Flags flags;
  AddFlags(app, flags);
  gan::cli::AddStandardFlags(app, gan::cli::BuildFacts());
  Ranks ranks;
  const int code = gan::cli::RunMain(app, argc, argv, gan::cli::Company::kRanks, [&] { return Run(flags, ranks); });
  if (code != gan::cli::kDone) ranks.Abort(code);  // the others would wait for this one
  return code;
}
