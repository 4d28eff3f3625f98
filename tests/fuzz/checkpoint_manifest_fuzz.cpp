// Reads a checkpoint's manifest: once as it is, and once with a digest that is made to fit. What is understood must
// also be written back and read again.
#include <cstdlib>

#include "checkpoint/manifest.h"
#include "storage/sealed_json.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = gan::fuzz::Text(data, size);
  gan::fuzz::ReadOrRefuse([&] { gan::checkpoint::DecodeManifest(text, "m"); });
  gan::fuzz::ReadOrRefuse([&] {
    std::string sealed;
    const nlohmann::json object = gan::storage::ParseJsonObject(text, "m");
    try {
      sealed = gan::storage::SealJson(object);
    } catch (const nlohmann::json::exception&) {
      return;  // no UTF-8
    }
    const gan::checkpoint::Manifest manifest = gan::checkpoint::DecodeManifest(sealed, "m");
    if (gan::checkpoint::DecodeManifest(gan::checkpoint::EncodeManifest(manifest), "m").step != manifest.step) {
      std::abort();
    }
  });
  return 0;
}
