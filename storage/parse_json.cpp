#include "storage/parse_json.h"

#include <string>

#include "storage/errors.h"

namespace gan::storage {

namespace {

using nlohmann::json;

// A rough estimate of the memory for one value or key: a node of a map with its key, an element of a vector that may
// have reserved twice its size, and the vector, map or string object itself.
constexpr std::size_t kKeyBytes = 96;
constexpr std::size_t kScalarBytes = 32;
constexpr std::size_t kContainerBytes = 96;

// A parser with callbacks that only counts: it estimates the memory of the parsed document without building it. `what`
// is the reason for stopping.
// An array of a million zeros has two bytes per value in the text and sixteen in memory, and nested empty arrays grow
// much more. A file from elsewhere could thus take many times its own size. The text is therefore parsed twice: here,
// without building anything, and then by ParseJson.
class ModestyCheck : public json::json_sax_t {
 public:
  explicit ModestyCheck(std::size_t text_bytes) : room_(kJsonAllowance + kMaxJsonGrowth * text_bytes) {}

  bool null() override { return Take(kScalarBytes); }
  bool boolean(bool) override { return Take(kScalarBytes); }
  bool number_integer(json::number_integer_t) override { return Take(kScalarBytes); }
  bool number_unsigned(json::number_unsigned_t) override { return Take(kScalarBytes); }
  bool number_float(json::number_float_t, const std::string&) override { return Take(kScalarBytes); }
  // A string needs its own object and its characters in addition to the element that holds it.
  bool string(std::string& value) override { return Take(kScalarBytes + kScalarBytes + value.size()); }
  bool binary(json::binary_t&) override { return Take(kScalarBytes); }
  bool key(std::string& value) override { return Take(kKeyBytes + value.size()); }
  bool start_object(std::size_t) override { return Enter(); }
  bool start_array(std::size_t) override { return Enter(); }
  bool end_object() override { return Leave(); }
  bool end_array() override { return Leave(); }

  // The library reports numbers out of range as exceptions of another class than syntax errors.
  bool parse_error(std::size_t position, const std::string&, const json::exception& error) override {
    position_ = position;
    const bool is_syntax = dynamic_cast<const json::parse_error*>(&error) != nullptr;
    what_ = is_syntax ? "is not JSON" : std::string("holds a value out of range: ") + error.what();
    return false;
  }

  const std::string& what() const { return what_; }
  std::size_t position() const { return position_; }

 private:
  // Fails before the memory would be allocated, since the document is not built yet.
  bool Take(std::size_t bytes) {
    if (bytes > room_) return Stop("contains more values than allowed for a file of its size");
    room_ -= bytes;
    return true;
  }
  bool Enter() {
    if (++depth_ > kMaxJsonDepth) return Stop("is nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    return Take(kContainerBytes);
  }
  bool Leave() {
    --depth_;
    return true;
  }
  bool Stop(std::string what) {
    what_ = std::move(what);
    return false;
  }

  std::size_t room_;
  int depth_ = 0;
  std::size_t position_ = 0;
  std::string what_;
};

}  // namespace

void RequireModestJson(std::string_view text, const std::filesystem::path& file, std::uint64_t offset) {
  ModestyCheck check(text.size());
  if (!json::sax_parse(text, &check)) throw DataError(file, offset + check.position(), check.what());
}

bool IsModestJson(std::string_view text) {
  ModestyCheck check(text.size());
  return json::sax_parse(text, &check);
}

}  // namespace gan::storage
