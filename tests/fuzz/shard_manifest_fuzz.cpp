// Reads a data set's manifest: once as it is, and once with a digest that is made to fit. Without the second one the
// fuzzer would hardly ever reach the code behind the check of the digest.
#include "shard/manifest.h"
#include "storage/sealed_json.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = gan::fuzz::Text(data, size);
  gan::fuzz::ReadOrRefuse([&] { gan::shard::DecodeManifest(text, "m"); });
  gan::fuzz::ReadOrRefuse([&] {
    nlohmann::json object = gan::storage::ParseJsonObject(text, "m");
    if (!object.contains("shards") || !object["shards"].is_array()) return;
    std::vector<gan::shard::ShardEntry> shards;
    for (const auto& entry : object["shards"]) {
      if (!entry.is_object() || !entry.contains("digest") || !entry["digest"].is_string()) return;
      shards.push_back({.digest = entry["digest"]});
    }
    object["dataset_digest"] = gan::shard::DatasetDigest(shards);
    std::string sealed;
    try {
      sealed = gan::storage::SealJson(object);
    } catch (const nlohmann::json::exception&) {
      return;  // no UTF-8: cannot be written, and DecodeManifest above has refused it
    }
    gan::shard::DecodeManifest(sealed, "m");
  });
  return 0;
}
