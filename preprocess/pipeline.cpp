#include "preprocess/pipeline.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <variant>

#include "preprocess/progress_folder.h"
#include "preprocess/sources.h"
#include "shard/shard_format.h"
#include "shard/shard_writer.h"
#include "storage/checksum.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::preprocess {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// What one input became.
struct Outcome {
  std::uint64_t input = 0;
  std::uint64_t bytes_read = 0;
  std::variant<Rgb8, QuarantineEntry> result;
};

// Everything that decides the bytes of the folder, and nothing else.
json PlanOf(const PreprocessOptions& o, const std::vector<Source>& sources) {
  return {{"size", o.size},
          {"filter", Name(o.filter)},
          {"decode", Name(o.mode)},
          {"background", o.decode.background},
          {"exif", o.decode.apply_exif ? "apply" : "ignore"},
          {"max_pixels", o.decode.max_pixels},
          {"labels", o.labels_from_folders ? "folder" : "none"},
          {"images_per_shard", o.images_per_shard},
          {"inputs", sources.size()},
          {"inputs_digest", DigestOf(sources)}};
}

Outcome ProcessOne(const Source& source, std::uint64_t input, const PreprocessOptions& options) {
  Outcome outcome{.input = input, .bytes_read = 0, .result = {}};
  try {
    const storage::MappedFile file(source.path);
    outcome.bytes_read = file.bytes().size();
    outcome.result = MakeRecord(file.bytes(), {options.size, options.filter, options.mode, options.decode});
  } catch (const Rejected& rejected) {
    outcome.result = QuarantineEntry{source.name, std::string(Name(rejected.reason())), rejected.what()};
  } catch (const IoError& error) {
    outcome.result = QuarantineEntry{source.name, std::string(Name(Reason::kUnreadable)), error.what()};
  } catch (const DataError& error) {
    outcome.result = QuarantineEntry{source.name, std::string(Name(Reason::kUnreadable)), error.what()};
  } catch (const std::bad_alloc&) {
    outcome.result = QuarantineEntry{source.name, std::string(Name(Reason::kTooLarge)), "not enough memory for it"};
  }
  return outcome;
}

// The work on one shard folder: which inputs go where, and what they add up to.
class Job {
 public:
  Job(const PreprocessOptions& options, std::vector<Source> sources, const json& plan)
      : options_(options),
        sources_(std::move(sources)),
        labels_(options.labels_from_folders ? LabelNames(sources_) : std::vector<std::string>()),
        plan_(plan),
        progress_(options.output, plan) {}

  Summary Run(const ShowProgress& show) {
    const auto shards =
        static_cast<std::uint32_t>((sources_.size() + options_.images_per_shard - 1) / options_.images_per_shard);
    for (std::uint32_t number = 0; number < shards; ++number) {
      std::optional<ShardResult> result = progress_.Finished(number);
      if (result) {
        summary_.kept_from_before += End(number) - Begin(number);
      } else {
        result = MakeShard(number, show);
        progress_.Note(*result);
      }
      results_.push_back(std::move(*result));
      show(End(number), sources_.size());
    }
    Publish();
    return summary_;
  }

 private:
  std::uint64_t Begin(std::uint32_t number) const { return std::uint64_t{number} * options_.images_per_shard; }
  std::uint64_t End(std::uint32_t number) const {
    return std::min<std::uint64_t>(Begin(number) + options_.images_per_shard, sources_.size());
  }

  // Read, decode and resize in parallel; write in input order. At most two pictures a thread are in flight.
  ShardResult MakeShard(std::uint32_t number, const ShowProgress& show) {
    ShardResult result;
    result.entry.number = number;
    const fs::path path = shard::ShardFileName(options_.output, number);
    shard::ShardWriter writer(path, number, options_.size);
    std::uint64_t next = Begin(number);
    const auto give = [&](tbb::flow_control& flow) -> std::uint64_t {
      if (next == End(number)) flow.stop();
      return next == End(number) ? next : next++;
    };
    const auto work = [&](std::uint64_t input) {
      return std::make_shared<Outcome>(ProcessOne(sources_[input], input, options_));
    };
    const auto write = [&](const std::shared_ptr<Outcome>& outcome) {
      Take(*outcome, writer, result);
      show(outcome->input + 1, sources_.size());
    };
    const auto threads = static_cast<std::size_t>(tbb::this_task_arena::max_concurrency());
    tbb::parallel_pipeline(
        2 * threads, tbb::make_filter<void, std::uint64_t>(tbb::filter_mode::serial_in_order, give) &
                         tbb::make_filter<std::uint64_t, std::shared_ptr<Outcome>>(tbb::filter_mode::parallel, work) &
                         tbb::make_filter<std::shared_ptr<Outcome>, void>(tbb::filter_mode::serial_in_order, write));
    result.entry.records = writer.size();
    writer.Commit();
    const storage::MappedFile file(path);
    result.entry.bytes = file.bytes().size();
    result.entry.digest = storage::DigestOf(file.bytes());
    return result;
  }

  void Take(const Outcome& outcome, shard::ShardWriter& writer, ShardResult& result) {
    result.bytes_read += outcome.bytes_read;
    const Source& source = sources_[outcome.input];
    if (const auto* rejected = std::get_if<QuarantineEntry>(&outcome.result)) {
      if (options_.strict) throw DataError(source.path, rejected->detail + " (" + rejected->reason + ")");
      result.quarantine.push_back(*rejected);
      return;
    }
    const auto& pixels = std::get<Rgb8>(outcome.result).pixels;
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      result.sum[i % 3] += pixels[i];
      result.sum_squares[i % 3] += std::uint64_t{pixels[i]} * pixels[i];
    }
    writer.Append(std::as_bytes(std::span(pixels)),
                  {.crc32c = 0, .label = LabelIndex(source), .input = outcome.input, .source = source.name});
  }

  std::uint32_t LabelIndex(const Source& source) const {
    if (labels_.empty()) return 0;
    return static_cast<std::uint32_t>(std::lower_bound(labels_.begin(), labels_.end(), LabelOf(source)) -
                                      labels_.begin());
  }

  // quarantine.jsonl, then the manifest: the folder is a data set from that moment on.
  void Publish() {
    shard::Manifest manifest;
    std::array<double, 3> sum{};
    std::array<double, 3> sum_squares{};
    std::string quarantine;
    for (const ShardResult& result : results_) {
      manifest.shards.push_back(result.entry);
      summary_.bytes_read += result.bytes_read;
      for (std::size_t c = 0; c < 3; ++c) {
        sum[c] += static_cast<double>(result.sum[c]);
        sum_squares[c] += static_cast<double>(result.sum_squares[c]);
      }
      for (const QuarantineEntry& entry : result.quarantine) {
        ++summary_.rejected[entry.reason];
        quarantine += Line(entry);
      }
    }
    manifest.image_size = options_.size;
    manifest.images_per_shard = options_.images_per_shard;
    manifest.inputs = sources_.size();
    manifest.accepted = manifest.records();
    manifest.rejected = manifest.inputs - manifest.accepted;
    summary_.inputs = manifest.inputs;
    summary_.accepted = manifest.accepted;
    storage::WriteFileAtomically(options_.output / shard::kQuarantineName, quarantine);
    if (manifest.accepted == 0) {
      throw DataError(options_.output, "not one of the " + std::to_string(manifest.inputs) +
                                           " inputs is a usable picture; quarantine.jsonl says why");
    }
    const double pixels = static_cast<double>(manifest.accepted) * options_.size * options_.size;
    for (std::size_t c = 0; c < 3; ++c) {
      manifest.channel_mean[c] = sum[c] / pixels;
      manifest.channel_std[c] =
          std::sqrt(std::max(0.0, sum_squares[c] / pixels - manifest.channel_mean[c] * manifest.channel_mean[c]));
    }
    manifest.labels = labels_;
    manifest.options = plan_;
    manifest.libraries = DecoderVersions();
    manifest.dataset_digest = shard::DatasetDigest(manifest.shards);
    shard::WriteManifest(options_.output, manifest);
    progress_.Remove();
  }

  static std::string Line(const QuarantineEntry& entry) {
    const json line = {{"path", PathText(entry.path)}, {"reason", entry.reason}, {"detail", PathText(entry.detail)}};
    return line.dump() + "\n";
  }

  const PreprocessOptions& options_;
  const std::vector<Source> sources_;
  const std::vector<std::string> labels_;
  const json plan_;
  ProgressFolder progress_;
  std::vector<ShardResult> results_;
  Summary summary_;
};

// A finished folder of the same plan needs nothing; one of another plan must not be touched.
std::optional<Summary> AlreadyComplete(const PreprocessOptions& options, const json& plan) {
  if (!fs::exists(options.output / shard::kManifestName)) return std::nullopt;
  const shard::Manifest manifest = shard::ReadManifest(options.output);
  if (manifest.options != plan) {
    throw UsageError(options.output.string() + " is a finished data set made with other " +
                     Differences(manifest.options, plan) + "; choose another --out");
  }
  fs::remove_all(options.output / ".progress");
  Summary summary;
  summary.inputs = manifest.inputs;
  summary.accepted = manifest.accepted;
  summary.already_complete = true;
  return summary;
}

}  // namespace

Summary Preprocess(const PreprocessOptions& options, const ShowProgress& show) {
  std::vector<Source> sources = FindPictures(options.inputs);
  const json plan = PlanOf(options, sources);
  fs::create_directories(options.output);
  const storage::FolderLock lock(options.output);
  if (std::optional<Summary> complete = AlreadyComplete(options, plan)) return *complete;
  storage::RemoveTemporaries(options.output);
  const auto all = static_cast<int>(tbb::this_task_arena::max_concurrency());
  const int threads = options.threads > 0 ? options.threads : all;
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
  tbb::task_arena arena(threads);
  return arena.execute([&] { return Job(options, std::move(sources), plan).Run(show); });
}

}  // namespace gan::preprocess
