#include "inspect/list_runs.h"

#include <cstdio>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "monitoring/page/runs_table.h"

namespace gan::inspect {

using RowJson = nlohmann::json;

namespace {

// Names may contain bytes that are not UTF-8, tabs and newlines, which would break the columns.
std::string Cell(const RowJson& value) {
  if (value.is_null()) return "-";
  std::string text =
      value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, RowJson::error_handler_t::replace);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return text.empty() ? "-" : text;
}

std::string Short(const RowJson& value) {
  if (!value.is_number()) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value.get<double>());
  return text;
}

// All names of the member `what` of the rows, in order.
std::set<std::string> NamesIn(const std::vector<RowJson>& rows, const char* what) {
  std::set<std::string> names;
  for (const RowJson& row : rows) {
    for (const auto& [name, value] : row.at(what).items()) names.insert(name);
  }
  return names;
}

void PrintTable(const std::vector<RowJson>& rows, std::ostream& out) {
  const auto settings = NamesIn(rows, "settings"), measures = NamesIn(rows, "best");
  out << "run\tstate\tstep\timages\tverdict";
  for (const std::string& name : settings) out << '\t' << Cell(name);
  for (const std::string& name : measures) out << "\tbest_" << Cell(name);
  out << '\n';
  for (const RowJson& row : rows) {
    out << Cell(row.at("name")) << '\t' << Cell(row.at("state")) << '\t' << row.at("step") << '\t' << row.at("images")
        << '\t' << Cell(row.at("verdict"));
    for (const std::string& name : settings) out << '\t' << Cell(row.at("settings").value(name, RowJson()));
    for (const std::string& name : measures) {
      const auto found = row.at("best").find(name);
      out << '\t' << (found == row.at("best").end() ? "-" : Short(found->at(0)));
    }
    out << '\n';
  }
}

}  // namespace

void ListRuns(const std::filesystem::path& root, bool as_json, std::ostream& out) {
  monitoring::RunsTable table(root);
  table.Refresh();
  // A call reads only part of each run (RunsTable).
  while (!table.ReadMore()) {
  }
  const std::vector<RowJson> rows = table.Rows();
  if (!as_json) return PrintTable(rows, out);
  for (const RowJson& row : rows) out << row.dump(-1, ' ', false, RowJson::error_handler_t::replace) << '\n';
}

}  // namespace gan::inspect
