#include "inspect/report.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "cli/printable.h"
#include "storage/counted.h"
#include "storage/errors.h"

namespace gan::inspect {

namespace {

using Json = nlohmann::ordered_json;

// Names may contain bytes that are not UTF-8. They are shown as replacement characters instead of causing an exception.
std::string Dump(const Json& j, int indent) { return j.dump(indent, ' ', false, Json::error_handler_t::replace); }

// Long values are cut, because a line of the report should fit a screen.
std::string Value(const Json& j) {
  constexpr std::size_t kWidest = 400;
  std::string text = cli::Printable(j.is_string() ? j.get<std::string>() : Dump(j, -1));
  if (text.size() > kWidest) text = text.substr(0, kWidest) + " ... (--json shows all)";
  return text;
}

// A list of objects is printed with one element per line.
bool IsList(const Json& j) { return j.is_array() && !j.empty() && j.front().is_object(); }

void WriteFact(std::ostringstream& out, const std::string& key, std::size_t width, const Json& value) {
  out << key << std::string(width - key.size() + 2, ' ');
  if (!IsList(value)) {
    out << Value(value) << "\n";
    return;
  }
  out << value.size() << "\n";
  for (const Json& element : value) out << "  " << Value(element) << "\n";
}

}  // namespace

void Report::AddDamage(std::string finding) {
  // A large shard may have a finding per record. Those beyond the limit are only counted.
  if (damage.size() < kMaxDamage) damage.push_back(std::move(finding));
  ++damage_count;
}

// Other exceptions are errors of the program or the system, not of the inspected file.
bool Report::Check(const std::function<void()>& check) {
  try {
    check();
    return true;
  } catch (const DataError& error) {
    AddDamage(error.what());
    return false;
  }
}

void Report::Add(const Report& part) {
  for (const std::string& finding : part.damage) AddDamage(finding);
  damage_count += part.damage_count - part.damage.size();
}

// Values are aligned in one column.
std::string ReportText(const Report& report) {
  std::size_t width = 0;
  for (const auto& [key, value] : report.facts.items()) width = std::max(width, key.size());
  std::ostringstream out;
  for (const auto& [key, value] : report.facts.items()) WriteFact(out, key, width, value);
  for (const std::string& finding : report.damage) out << "damage: " << cli::Printable(finding) << "\n";
  if (report.damage_count > report.damage.size()) {
    out << "damage: " << storage::Counted(report.damage_count - report.damage.size(), "more finding") << "\n";
  }
  out << (report.intact() ? "intact\n" : "damaged\n");
  return out.str();
}

std::string ReportJson(const Report& report) {
  Json all = report.facts;
  all["intact"] = report.intact();
  all["damage_count"] = report.damage_count;
  all["damage"] = report.damage;
  return Dump(all, 2) + "\n";
}

}  // namespace gan::inspect
