#include "preprocess/pipeline/croissant.h"

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "shard/shard_format.h"
#include "storage/counted.h"

namespace gan::preprocess {

using nlohmann::json;

namespace {

// The context that the specification prescribes verbatim.
constexpr const char* kContext = R"({
"@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
"conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
"data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
"dct": "http://purl.org/dc/terms/", "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract",
"field": "cr:field", "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet",
"format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath",
"key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
"references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace",
"samplingRate": "cr:samplingRate", "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source",
"subField": "cr:subField", "transform": "cr:transform"})";

json FileSet(const char* id, const std::string& includes, const char* format, const std::string& description) {
  return {{"@type", "cr:FileSet"},     {"@id", id}, {"name", id}, {"includes", includes}, {"encodingFormat", format},
          {"description", description}};
}

struct Column {
  const char* name;
  const char* type;
  const char* description;
};

// A table whose rows are the lines of the file set `file`.
json RecordSet(const char* id, const char* file, const char* description, const std::vector<Column>& columns) {
  json fields = json::array();
  for (const Column& column : columns) {
    fields.push_back({{"@type", "cr:Field"},
                      {"@id", std::string(id) + "/" + column.name},
                      {"name", column.name},
                      {"description", column.description},
                      {"dataType", column.type},
                      {"source", {{"fileSet", {{"@id", file}}}, {"extract", {{"column", column.name}}}}}});
  }
  return {{"@type", "cr:RecordSet"}, {"@id", id}, {"name", id}, {"description", description}, {"field", fields}};
}

json Records(bool has_labels) {
  std::vector<Column> columns = {{"shard", "sc:Integer", "Number of the shard file."},
                                 {"position", "sc:Integer", "Number of the record in its shard."},
                                 {"source", "sc:Text", "Name of the input that it was made of."}};
  if (has_labels) columns.push_back({"label", "sc:Integer", "Number of its label."});
  if (has_labels) columns.push_back({"label_name", "sc:Text", "Name of its label."});
  return RecordSet("records", "record-list", "The pictures of the data set with their labels.", columns);
}

json RejectedRecords() {
  return RecordSet("rejected", "quarantine", "Inputs that are not in the data set.",
                   {{"path", "sc:Text", "Name of the input."},
                    {"reason", "sc:Text", "Why, from a fixed list."},
                    {"detail", "sc:Text", "Why, in words."}});
}

}  // namespace

// Without date and path, so that the same inputs give the same bytes.
std::string CroissantOf(const shard::Manifest& m) {
  const std::string side = std::to_string(m.image_size);
  const std::string pictures = storage::Counted(m.accepted, "RGB picture") + " of " + side + " x " + side + " pixels";
  json dataset = {
      {"@context", json::parse(kContext)},
      {"@type", "sc:Dataset"},
      {"name", "equipoise-shards"},
      {"description", pictures +
                          " in the shard format of Equipoise (gan-preprocess). Each record is uint8, rows from "
                          "the top, RGB; numpy.memmap reads a shard from byte 4096 on. Digest of all: " +
                          m.dataset_digest},
      {"conformsTo", "http://mlcommons.org/croissant/1.0"},
      {"version", std::to_string(m.format_version) + ".0.0"},
      {"distribution",
       {FileSet("shards", "shard-*.gan", "application/octet-stream", pictures + ", each with CRC32C, label and name."),
        FileSet("manifest", std::string(shard::kManifestName), "application/json", "Counts, digests, options, labels."),
        FileSet("record-list", std::string(shard::kRecordListName), "application/jsonlines",
                "Records with their labels."),
        FileSet("quarantine", std::string(shard::kQuarantineName), "application/jsonlines", "Rejected inputs.")}},
  };
  dataset["recordSet"] = json::array({Records(!m.labels.empty())});
  if (m.rejected > 0) dataset["recordSet"].push_back(RejectedRecords());
  return dataset.dump(2) + "\n";
}

}  // namespace gan::preprocess
