#include "preprocess/pipeline/publish.h"

#include <algorithm>
#include <cmath>

#include "preprocess/pipeline/croissant.h"
#include "preprocess/pipeline/label_summary.h"
#include "preprocess/pipeline/record_list.h"
#include "shard/shard_format.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::preprocess {

using nlohmann::json;

namespace {

struct Sums {
  std::array<double, 3> plain{};
  std::array<double, 3> squares{};
};

double Pixels(const shard::Manifest& manifest) {
  return static_cast<double>(manifest.accepted) * manifest.image_size * manifest.image_size;
}

// Computed back from the manifest, so that --append need not read the old shards again.
Sums SumsOf(const shard::Manifest& manifest) {
  Sums sums;
  for (std::size_t c = 0; c < 3; ++c) {
    const double mean = manifest.channel_mean[c], deviation = manifest.channel_std[c];
    sums.plain[c] = mean * Pixels(manifest);
    sums.squares[c] = (deviation * deviation + mean * mean) * Pixels(manifest);
  }
  return sums;
}

void Put(const Sums& sums, shard::Manifest& manifest) {
  for (std::size_t c = 0; c < 3; ++c) {
    const double mean = sums.plain[c] / Pixels(manifest);
    manifest.channel_mean[c] = mean;
    // Rounding can make the difference of a constant channel slightly negative.
    manifest.channel_std[c] = std::sqrt(std::max(0.0, sums.squares[c] / Pixels(manifest) - mean * mean));
  }
}

// {"JPEG": "libjpeg-turbo 2.1.5"}: the decoders of the records; several versions are listed one after another.
json LibrariesOf(const json& before, const std::vector<ShardResult>& results) {
  json libraries = before.is_object() ? before : json::object();
  for (const ShardResult& result : results) {
    for (const auto& [format, library] : result.decoders) {
      std::string known = libraries.value(format, "");
      if (known.find(library) != known.npos) continue;
      if (!known.empty()) known += ", ";
      libraries[format] = known + library;
    }
  }
  return libraries;
}

std::string Line(const QuarantineEntry& entry) {
  json line = {{"path", PathText(entry.path)}, {"reason", entry.reason}, {"detail", PathText(entry.detail)}};
  if (entry.for_now) line["left_to_try"] = true;
  return line.dump() + "\n";
}

}  // namespace

std::map<std::string, std::uint64_t> WriteQuarantine(const std::filesystem::path& output,
                                                     const std::vector<ShardResult>& results,
                                                     const ProgressFolder& progress) {
  std::map<std::string, std::uint64_t> rejected;
  storage::AtomicFile file(output / shard::kQuarantineName);
  file.Append(progress.QuarantineBefore());
  for (const ShardResult& result : results) {
    std::string lines;
    // Read from the notes, shard by shard, because there may be more rejected inputs than memory.
    for (const QuarantineEntry& entry : progress.QuarantineOf(result.entry.number)) {
      lines += Line(entry);
      ++rejected[entry.reason];
    }
    file.Append(lines);
  }
  file.Commit();
  return rejected;
}

shard::Manifest Publish(const PreprocessOptions& options, const Place& place, std::uint64_t inputs,
                        const std::vector<ShardResult>& results) {
  shard::Manifest manifest = place.before.value_or(shard::Manifest());
  Sums sums = SumsOf(manifest);
  for (const ShardResult& result : results) {
    manifest.shards.push_back(result.entry);
    for (std::size_t c = 0; c < 3; ++c) {
      sums.plain[c] += static_cast<double>(result.sums.plain[c]);
      sums.squares[c] += static_cast<double>(result.sums.squares[c]);
    }
  }
  manifest.image_size = options.size;
  manifest.images_per_shard = options.images_per_shard;
  manifest.inputs += inputs;
  manifest.accepted = manifest.records();
  manifest.rejected = manifest.inputs - manifest.accepted;
  // After the quarantine is written, because the message refers to it.
  if (manifest.accepted == 0) {
    const std::string found = manifest.inputs == 1
                                  ? "its only input is no"
                                  : "not one of the " + std::to_string(manifest.inputs) + " inputs is a";
    throw DataError(options.output, found + " usable picture; quarantine.jsonl says why");
  }
  Put(sums, manifest);
  manifest.label_counts = LabelCounts(options.output, place, results);
  manifest.labels = place.labels;
  manifest.options = place.plan;
  manifest.libraries = LibrariesOf(manifest.libraries, results);
  manifest.dataset_digest = shard::DatasetDigest(manifest.shards);
  // The manifest is written last: without it the folder is not a data set, and when it exists, all other files do.
  WriteRecordList(options.output, manifest);
  storage::WriteFileAtomically(options.output / "croissant.json", CroissantOf(manifest));
  shard::WriteManifest(options.output, manifest);
  return manifest;
}

}  // namespace gan::preprocess
