#include "preprocess/pipeline/croissant.h"

#include <nlohmann/json.hpp>

#include "shard/shard_format.h"

namespace gan::preprocess {

using nlohmann::json;

namespace {

// The context that the specification prescribes, word for word.
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

json RejectedField(const char* name, const char* description) {
  return {{"@type", "cr:Field"},   {"@id", std::string("rejected/") + name},
          {"name", name},          {"description", description},
          {"dataType", "sc:Text"}, {"source", {{"fileSet", {{"@id", "quarantine"}}}, {"extract", {{"column", name}}}}}};
}

// The inputs that are not in the data set, as a table.
json RejectedRecords() {
  return {{"@type", "cr:RecordSet"},
          {"@id", "rejected"},
          {"name", "rejected"},
          {"description", "Inputs that are not in the data set."},
          {"field",
           {RejectedField("path", "Name of the input."), RejectedField("reason", "Why, from a fixed list."),
            RejectedField("detail", "Why, in words.")}}};
}

}  // namespace

std::string CroissantOf(const shard::Manifest& m) {
  const std::string side = std::to_string(m.image_size);
  const std::string pictures = std::to_string(m.accepted) + " RGB pictures of " + side + " x " + side + " pixels";
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
        FileSet("quarantine", std::string(shard::kQuarantineName), "application/jsonlines", "Rejected inputs.")}},
  };
  if (m.rejected > 0) dataset["recordSet"] = json::array({RejectedRecords()});
  return dataset.dump(2) + "\n";
}

}  // namespace gan::preprocess
