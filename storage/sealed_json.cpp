#include "storage/sealed_json.h"

#include <algorithm>
#include <utility>

#include "storage/checksum.h"
#include "storage/errors.h"
#include "storage/parse_json.h"

namespace gan::storage {

using nlohmann::json;

namespace {

constexpr const char* kDigest = "digest";

// The digest of the compact text. The text is assembled member by member, because a copy of the whole object without
// "digest" would double the memory.
std::string DigestWithoutItself(const json& object) {
  std::string text = "{";
  for (const auto& [name, value] : object.items()) {
    if (name == kDigest) continue;
    text += (text.size() > 1 ? "," : "") + json(name).dump() + ":" + value.dump();
  }
  text += "}";
  return DigestOf(std::as_bytes(std::span(text)));
}

// The only accepted spelling of a sealed file, which makes any changed byte detectable.
std::string Canonical(const json& object) { return object.dump(2) + "\n"; }

}  // namespace

std::string SealJson(json object) {
  object[kDigest] = DigestWithoutItself(object);
  return Canonical(object);
}

json ParseJsonObject(const std::string& text, const std::filesystem::path& file) {
  json parsed = ParseJson(text, file);
  if (!parsed.is_object()) throw DataError(file, 0, "is not a JSON object");
  return parsed;
}

// The digest explains most damage; the comparison with the canonical text finds the rest.
void RequireSealed(const std::string& text, const json& object, const std::filesystem::path& file) {
  try {
    if (!object.contains(kDigest)) throw DataError(file, "has no digest of itself");
    if (object.at(kDigest) != DigestWithoutItself(object)) throw DataError(file, "does not match its own digest");
    // A change of white space or spelling keeps the digest valid, so the whole text is compared as well.
    const std::string expected = Canonical(object);
    const auto at = std::mismatch(text.begin(), text.end(), expected.begin(), expected.end()).first - text.begin();
    if (text != expected) throw DataError(file, static_cast<std::uint64_t>(at), "was changed after it was written");
  } catch (const json::exception& error) {
    throw DataError(file, error.what());
  }
}

}  // namespace gan::storage
