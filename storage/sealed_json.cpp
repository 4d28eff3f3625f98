#include "storage/sealed_json.h"

#include <algorithm>
#include <utility>

#include "storage/checksum.h"
#include "storage/errors.h"

namespace gan::storage {

using nlohmann::json;

namespace {

constexpr const char* kDigest = "digest";

std::string DigestWithoutItself(json object) {
  object.erase(kDigest);
  const std::string text = object.dump();
  return DigestOf(std::as_bytes(std::span(text)));
}

std::string Canonical(const json& object) { return object.dump(2) + "\n"; }

}  // namespace

std::string SealJson(json object) {
  object[kDigest] = DigestWithoutItself(object);
  return Canonical(object);
}

json ParseJsonObject(const std::string& text, const std::filesystem::path& file) {
  try {
    json parsed = json::parse(text);
    if (!parsed.is_object()) throw DataError(file, 0, "is not a JSON object");
    return parsed;
  } catch (const json::parse_error& error) {
    throw DataError(file, error.byte, "is not JSON");
  } catch (const json::exception& error) {
    throw DataError(file, std::string("holds a value out of range: ") + error.what());
  }
}

void RequireSealed(const std::string& text, const json& object, const std::filesystem::path& file) {
  try {
    if (!object.contains(kDigest)) throw DataError(file, "has no digest of itself");
    if (object.at(kDigest) != DigestWithoutItself(object)) throw DataError(file, "does not match its own digest");
    const std::string expected = Canonical(object);
    const auto at = std::mismatch(text.begin(), text.end(), expected.begin(), expected.end()).first - text.begin();
    if (text != expected) throw DataError(file, static_cast<std::uint64_t>(at), "was changed after it was written");
  } catch (const json::exception& error) {
    throw DataError(file, error.what());
  }
}

}  // namespace gan::storage
