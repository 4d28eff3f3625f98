#include "preprocess/pipeline/label_summary.h"

#include <algorithm>
#include <string>

#include "shard/shard_format.h"
#include "shard/shard_reader.h"
#include "storage/counted.h"

namespace gan::preprocess {

namespace {

// For a data set whose manifest has no counts, because an older version wrote it.
std::vector<std::uint64_t> CountLabels(const std::filesystem::path& folder, const shard::Manifest& manifest) {
  std::vector<std::uint64_t> counts(manifest.labels.size());
  for (const shard::ShardEntry& entry : manifest.shards) {
    const shard::ShardReader reader(shard::ShardFileName(folder, entry.number));
    for (std::size_t i = 0; i < reader.size(); ++i) ++counts.at(reader.Info(i).label);
    reader.RequireRead();
  }
  return counts;
}

}  // namespace

std::vector<std::uint64_t> LabelCounts(const std::filesystem::path& folder, const Place& place,
                                       const std::vector<ShardResult>& results) {
  std::vector<std::uint64_t> counts;
  if (place.before) counts = place.before->label_counts;
  if (place.before && counts.size() < place.before->labels.size()) counts = CountLabels(folder, *place.before);
  // The records before had no label, so all of them have the first one now, which is empty.
  if (place.before && place.before->labels.empty() && !place.labels.empty()) counts = {place.before->accepted};
  counts.resize(place.labels.size());
  for (const ShardResult& result : results) {
    for (const auto& [label, count] : result.label_counts) counts.at(label) += count;
  }
  return counts;
}

void AddLabelCounts(const shard::Manifest& manifest, Summary& summary) {
  for (std::size_t i = 0; i < manifest.label_counts.size(); ++i) {
    summary.labels.emplace_back(manifest.labels[i], manifest.label_counts[i]);
  }
}

void NoteNewLabels(const shard::Manifest& before, const shard::Manifest& now, Summary& summary) {
  constexpr std::size_t kShown = 10;
  std::string names;
  for (std::size_t i = before.labels.size(); i < now.labels.size() && i < before.labels.size() + kShown; ++i) {
    names += (names.empty() ? "" : ", ") + (now.labels[i].empty() ? "(none)" : now.labels[i]);
  }
  const std::size_t count = now.labels.size() - before.labels.size();
  if (count == 0) return;
  summary.notes.push_back(storage::Counted(count, "label is", "labels are") + " new in the data set: " + names +
                          (count > kShown ? ", ..." : ""));
}

void NoteDuplicatesAcrossLabels(const SourceList& sources, const Duplicates& duplicates, Summary& summary) {
  std::uint64_t count = 0;
  // The example is the first such input, because the order of a hash map may differ from one run to the next.
  std::uint64_t example = sources.size();
  for (const auto& [input, first] : duplicates) {
    if (sources.Label(input) == sources.Label(first)) continue;
    ++count;
    example = std::min(example, input);
  }
  if (count == 0) return;
  const std::uint64_t first = duplicates.at(example);
  summary.notes.push_back(storage::Counted(count, "duplicate has", "duplicates have") +
                          " another label than the picture that is kept, for example " + sources.RecordName(example) +
                          " (" + sources.Label(example) + ") and " + sources.RecordName(first) + " (" +
                          sources.Label(first) + ")");
}

}  // namespace gan::preprocess
