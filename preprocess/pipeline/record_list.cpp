#include "preprocess/pipeline/record_list.h"

#include <string>

#include <nlohmann/json.hpp>

#include "preprocess/pipeline/progress_folder.h"
#include "shard/shard_format.h"
#include "shard/shard_reader.h"
#include "storage/files.h"

namespace gan::preprocess {

namespace {

std::string LinesOf(const shard::ShardReader& reader, const std::vector<std::string>& labels) {
  std::string lines;
  for (std::size_t i = 0; i < reader.size(); ++i) {
    const shard::RecordInfo info = reader.Info(i);
    nlohmann::ordered_json line = {{"shard", reader.number()}, {"position", i}};
    if (info.label < labels.size()) line.update({{"label", info.label}, {"label_name", labels[info.label]}});
    line["source"] = PathText(info.source);
    lines += line.dump() + "\n";
  }
  return lines;
}

}  // namespace

void WriteRecordList(const std::filesystem::path& folder, const shard::Manifest& manifest) {
  storage::AtomicFile file(folder / shard::kRecordListName);
  for (const shard::ShardEntry& entry : manifest.shards) {
    // Read back from the shards, because the names of all records may need too much memory.
    const shard::ShardReader reader(shard::ShardFileName(folder, entry.number));
    file.Append(LinesOf(reader, manifest.labels));
    reader.RequireRead();
  }
  file.Commit();
}

}  // namespace gan::preprocess
