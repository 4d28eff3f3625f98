#include "generate/engine/facts.h"

#include <string>

#include "generate/engine/load.h"
#include "storage/errors.h"

namespace gan::generate {

using nlohmann::json;

namespace {

// The member called `name`, or `otherwise` when there is none.
const json& MemberOf(const json& object, const char* name, const json& otherwise) {
  const auto found = object.find(name);
  return found == object.end() ? otherwise : *found;
}

}  // namespace

// All types are checked at one place, because the JSON library's own exceptions do not name the file.
json CheckedFacts(json facts, const std::filesystem::path& file) {
  static const json kNumber = 0U, kText = "", kObject = json::object();
  const auto require = [&](bool holds, const std::string& what) {
    if (!holds) throw DataError(file, "what it says of the training is damaged: " + what);
  };
  require(facts.is_object(), "it is no object");
  require(MemberOf(facts, "step", kNumber).is_number_unsigned(), "step is no whole number");
  const json& options = MemberOf(facts, "options", kObject);
  require(options.is_object(), "options is no object");
  require(MemberOf(options, "seed", kNumber).is_number_unsigned(), "seed is no whole number");
  for (const char* name : {"class_sampling", "d_norm"}) {
    require(MemberOf(options, name, kText).is_string(), std::string(name) + " is no text");
  }
  return facts;
}

std::uint64_t TrainedGenerator::seed() const {
  const auto options = facts.find("options");
  return options == facts.end() ? 0 : options->value("seed", std::uint64_t{0});
}

}  // namespace gan::generate
