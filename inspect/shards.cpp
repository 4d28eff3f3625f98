#include "inspect/shards.h"

#include <algorithm>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "shard/manifest.h"
#include "shard/shard_format.h"
#include "shard/shard_reader.h"
#include "storage/checksum.h"
#include "storage/counted.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::inspect {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

// Verifies every record and computes the digest of the file in one pass, so that each record is read from memory only
// once.
std::string CheckRecords(const shard::ShardReader& reader, Report& report) {
  storage::Digest digest;
  digest.Update(reader.bytes().first(shard::kHeaderBytes));
  for (std::size_t i = 0; i < reader.size(); ++i) {
    // Each check is caught separately, so that one damaged record does not hide the others.
    report.Check([&] { reader.VerifyRecord(i); });
    report.Check([&] { static_cast<void>(reader.Info(i)); });
    digest.Update(reader.Record(i));
  }
  digest.Update(reader.bytes().subspan(shard::kHeaderBytes + reader.size() * reader.record_bytes()));
  // Unreadable pages of an intact-looking file are an I/O error. In a damaged file the findings already name them.
  if (report.intact()) reader.RequireRead();
  return digest.Text();
}

// Compares a number in the manifest with that of the shard.
void RequireSame(const fs::path& file, const char* what, std::uint64_t manifest, std::uint64_t shard) {
  if (manifest == shard) return;
  throw DataError(
      file, "the manifest says " + std::to_string(manifest) + " " + what + ", the shard has " + std::to_string(shard));
}

// The cheap checks come first: they explain a truncated or exchanged file better than a wrong checksum.
Report CheckShard(const fs::path& folder, const shard::Manifest& manifest, const shard::ShardEntry& entry) {
  Report report;
  const fs::path file = shard::ShardFileName(folder, entry.number);
  report.Check([&] {
    if (!fs::exists(file)) throw DataError(file, "is missing, and the manifest lists it");
    RequireSame(file, "bytes", entry.bytes, fs::file_size(file));
    const shard::ShardReader reader(file);
    RequireSame(file, "as its number", entry.number, reader.number());
    RequireSame(file, "records", entry.records, reader.size());
    RequireSame(file, "pixels per side", manifest.image_size, reader.image_size());
    // Every record is checked even if the digest will differ, because only a record's checksum shows the place of the
    // damage.
    const std::string digest = CheckRecords(reader, report);
    if (report.intact() && digest != entry.digest) throw DataError(file, "does not match its digest in the manifest");
  });
  return report;
}

// Checks the shards in parallel, with more tasks than processors, so that no processor is idle while the last shard is
// read. Findings are reported in the order of the shards.
void CheckShards(const fs::path& folder, const shard::Manifest& manifest, std::uint64_t total, const ShowProgress& show,
                 Report& report) {
  std::vector<std::future<Report>> running(manifest.shards.size());
  const std::size_t ahead = 2 * std::max(1U, std::thread::hardware_concurrency()) + 1;
  std::uint64_t done = 0;
  for (std::size_t i = 0; i < running.size() + ahead; ++i) {
    if (i >= ahead) {
      // Waiting for the oldest task limits the number of running ones.
      report.Add(running[i - ahead].get());
      show(done += manifest.shards[i - ahead].bytes, total);
    }
    if (i < running.size()) {
      // If a shard cannot be read, get() throws above. The other tasks still end before the manifest is destroyed,
      // because the future of std::async waits in its destructor.
      running[i] = std::async(std::launch::async, CheckShard, std::cref(folder), std::cref(manifest),
                              std::cref(manifest.shards[i]));
    }
  }
}

// The quarantine file has no checksum; the manifest only counts its lines.
void CheckQuarantine(const fs::path& folder, const shard::Manifest& manifest) {
  const fs::path file = folder / shard::kQuarantineName;
  if (!fs::exists(file)) {
    if (manifest.rejected > 0) throw DataError(file, "is missing, and the manifest counts rejected inputs");
    return;
  }
  const storage::MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  const auto lines = static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), std::byte{'\n'}));
  mapped.RequireRead();
  if (lines != manifest.rejected) {
    throw DataError(file, "has " + storage::Counted(lines, "line") + ", the manifest says " +
                              storage::Counted(manifest.rejected, "rejected input"));
  }
}

// Files that look like shards but are not in the manifest: from an unfinished --append, or copied there by hand.
Json UnlistedShards(const fs::path& folder, std::size_t listed) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const auto number = shard::ParseShardFileName(name);
    // The manifest numbers its shards from 0 without gaps.
    if (number && *number >= listed) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Json FactsOf(const shard::Manifest& m) {
  std::uint64_t bytes = 0;
  for (const shard::ShardEntry& entry : m.shards) bytes += entry.bytes;
  return {{"format_version", m.format_version},
          {"image_size", m.image_size},
          {"records", m.records()},
          {"shards", m.shards.size()},
          {"bytes", bytes},
          {"images_per_shard", m.images_per_shard},
          {"inputs", m.inputs},
          {"rejected", m.rejected},
          {"labels", m.labels},
          {"label_counts", m.label_counts},
          {"channel_mean", m.channel_mean},
          {"channel_std", m.channel_std},
          {"dataset_digest", m.dataset_digest},
          {"options", m.options},
          {"libraries", m.libraries}};
}

}  // namespace

Report InspectShard(const fs::path& file) {
  Report report;
  report.facts = {{"kind", "shard"}, {"path", file.string()}};
  report.Check([&] {
    const shard::ShardReader reader(file);
    report.facts.update({{"format_version", shard::kFormatVersion},
                         {"number", reader.number()},
                         {"image_size", reader.image_size()},
                         {"records", reader.size()},
                         {"bytes", fs::file_size(file)}});
    const std::string digest = CheckRecords(reader, report);
    const auto number = shard::ParseShardFileName(file.filename().string());
    if (number) RequireSame(file, "as its number (by its name)", *number, reader.number());
    report.facts["digest"] = digest;
  });
  return report;
}

// Without a readable manifest there is no list of shards to check.
Report InspectShardFolder(const fs::path& folder, const ShowProgress& show) {
  Report report;
  report.facts = {{"kind", "shard folder"}, {"path", folder.string()}};
  report.Check([&] {
    const shard::Manifest manifest = shard::ReadManifest(folder);
    report.facts.update(FactsOf(manifest));
    const Json unlisted = UnlistedShards(folder, manifest.shards.size());
    if (!unlisted.empty()) report.facts["unlisted_shards"] = unlisted;
    const std::uint64_t total = report.facts.at("bytes").get<std::uint64_t>();
    CheckShards(folder, manifest, total, show, report);
    CheckQuarantine(folder, manifest);
  });
  return report;
}

}  // namespace gan::inspect
