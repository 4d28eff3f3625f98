#include "inspect/records.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "picture/png.h"
#include "shard/manifest.h"
#include "shard/shard_format.h"
#include "shard/shard_reader.h"
#include "storage/counted.h"
#include "storage/errors.h"

namespace gan::inspect {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

// A record and where it is.
struct Place {
  const shard::ShardReader& shard;
  std::size_t record;                      // index within the shard
  std::uint64_t number;                    // index within the whole folder
  const std::vector<std::string>& labels;  // empty: unknown
};

// Calls `take` for every record in order until it returns false.
void ForEach(const fs::path& path, const std::function<bool(const Place&)>& take) {
  std::vector<fs::path> files = {path};
  std::vector<std::string> labels;
  if (fs::is_directory(path)) {
    const shard::Manifest manifest = shard::ReadManifest(path);
    labels = manifest.labels;
    files.clear();
    for (const shard::ShardEntry& entry : manifest.shards) files.push_back(shard::ShardFileName(path, entry.number));
  }
  std::uint64_t number = 0;
  for (const fs::path& file : files) {
    const shard::ShardReader reader(file);
    for (std::size_t i = 0; i < reader.size(); ++i, ++number) {
      if (!take({reader, i, number, labels})) return;
    }
  }
}

// A label without a name is shown as its number.
Json Row(const Place& place) {
  const shard::RecordInfo info = place.shard.Info(place.record);
  const bool named = info.label < place.labels.size();
  return {{"record", place.number},
          {"shard", place.shard.number()},
          {"input", info.input},
          {"label", named ? Json(place.labels[info.label]) : Json(info.label)},
          {"source", info.source}};
}

// Values that would break a line or a column are written as JSON strings with escapes.
std::string Cell(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  const bool plain = text.starts_with('"') && text.find('\\') == std::string::npos;
  return plain ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

// Each line is written at once, so that a large data set needs little memory.
void ListRecords(const fs::path& path, bool as_json, std::ostream& out) {
  if (!as_json) out << "record\tshard\tinput\tlabel\tsource\n";
  ForEach(path, [&](const Place& place) {
    const Json row = Row(place);
    if (as_json) {
      out << row.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
      return true;
    }
    const char* separator = "";
    for (const auto& [name, value] : row.items()) {
      out << separator << Cell(value);
      separator = "\t";
    }
    out << '\n';
    return true;
  });
}

void DumpRecord(const fs::path& path, std::uint64_t number, const fs::path& out) {
  std::uint64_t seen = 0;
  bool written = false;
  ForEach(path, [&](const Place& place) {
    seen = place.number + 1;
    // The records before it are only counted; their pixels are not read.
    if (place.number != number) return true;
    place.shard.VerifyRecord(place.record);
    const auto record = place.shard.Record(place.record);
    const std::uint32_t side = place.shard.image_size();
    const auto* pixels = reinterpret_cast<const std::uint8_t*>(record.data());
    // Copied before RequireRead: the page could become unreadable while the PNG is written.
    const std::vector<std::uint8_t> kept(pixels, pixels + record.size());
    place.shard.RequireRead();
    picture::WritePng(out, kept, side, side);
    written = true;
    return false;
  });
  if (written) return;
  throw UsageError("--record " + std::to_string(number) + ": " + path.string() + " has " +
                   storage::Counted(seen, "record") + ", numbered from 0");
}

}  // namespace gan::inspect
