#include <algorithm>
#include <chrono>
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
#include "preprocess/flags.h"
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
using gan::preprocess::Flags;
using gan::preprocess::PreprocessOptions;
using gan::preprocess::Ranks;
using gan::preprocess::Summary;

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

// Checked before hours of work, not after them. --out and the folders above it will be created.
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
  gan::preprocess::Resolve(flags);
  // After the flags, so that a mistake in them is reported without MPI, and before any thread exists.
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
  // The bar ends its line before anything else is printed.
  bar.reset();
  ranks.Finish();
  // Rank 0 has the sums of all ranks, and the shards are in one folder.
  if (ranks.rank() > 0) return gan::cli::kDone;
  if (!flags.options.preview.empty()) WritePreview(flags.options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto text = flags.json ? gan::preprocess::SummaryAsJson : gan::preprocess::SummaryInWords;
  std::cout << text(summary, flags.options, seconds);
  return summary.left_to_try > 0 ? gan::cli::kStoppedSaved : gan::cli::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  // Before anything else, because the program starts itself again as one of these two helpers, which need neither flags
  // nor MPI.
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
  gan::preprocess::AddFlags(app, flags);
  gan::cli::AddStandardFlags(app, gan::cli::BuildFacts());
  Ranks ranks;
  const int code = gan::cli::RunMain(app, argc, argv, gan::cli::Company::kRanks, [&] { return Run(flags, ranks); });
  if (code != gan::cli::kDone) ranks.Abort(code);  // the other ranks would wait for this one
  return code;
}
