#include "preprocess/summary.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <sstream>

#include <nlohmann/json.hpp>

#include "cli/printable.h"
#include "cli/progress.h"
#include "shard/shard_format.h"
#include "storage/counted.h"

namespace gan::preprocess {

namespace {

nlohmann::ordered_json LeftOutJson(const LeftOut& left_out) {
  nlohmann::ordered_json kinds = nlohmann::ordered_json::object();
  for (const auto& [kind, found] : left_out.kinds()) {
    kinds[kind] = {{"files", found.files}, {"examples", found.examples}};
  }
  return kinds;
}

// {"cat": 12, "dog": 9}
nlohmann::ordered_json LabelsJson(const Summary& s) {
  nlohmann::ordered_json labels = nlohmann::ordered_json::object();
  for (const auto& [name, count] : s.labels) labels[name] = count;
  return labels;
}

// "2 labels: cat 12, dog 9"
std::string LabelWords(const Summary& s) {
  constexpr std::size_t kShown = 20;
  std::string words = storage::Counted(s.labels.size(), "label") + ":";
  for (std::size_t i = 0; i < std::min(kShown, s.labels.size()); ++i) {
    const auto& [name, count] = s.labels[i];
    words += (i == 0 ? " " : ", ") + (name.empty() ? "(none)" : cli::Printable(name)) + " " + std::to_string(count);
  }
  return words + (s.labels.size() > kShown ? ", ..." : "");
}

}  // namespace

std::string SummaryAsJson(const Summary& s, const PreprocessOptions& options, double seconds) {
  const nlohmann::ordered_json summary = {{"out", options.output.string()},
                                          {"already_complete", s.already_complete},
                                          {"inputs", s.inputs},
                                          {"accepted", s.accepted},
                                          {"rejected", s.rejected},
                                          {"left_to_try", s.left_to_try},
                                          {"left_out", LeftOutJson(s.left_out)},
                                          {"records", s.total},
                                          {"labels", LabelsJson(s)},
                                          {"notes", s.notes},
                                          {"inputs_done_before", s.kept_from_before},
                                          {"bytes_read", s.bytes_read},
                                          {"seconds", seconds}};
  return summary.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string SummaryInWords(const Summary& s, const PreprocessOptions& options, double seconds) {
  std::ostringstream text;
  if (s.already_complete) {
    text << options.output.string() << " is complete already: " << storage::Counted(s.total, "picture")
         << ". Nothing to do.\n";
  } else {
    text << s.accepted << " of " << storage::Counted(s.inputs, "picture") << " in " << options.output.string();
    for (const auto& [reason, count] : s.rejected) text << ", " << count << " " << reason;
    // The speed is that of this run: shards of an earlier one cost only their verification.
    const double made = static_cast<double>(s.inputs - s.kept_from_before);
    char speed[96];
    std::snprintf(speed, sizeof speed, "  (%.0f images/s, %.1f MB/s, %s)", made / seconds,
                  static_cast<double>(s.bytes_read) / 1e6 / seconds,
                  cli::FormatDuration(std::chrono::duration<double>(seconds)).c_str());
    text << speed << "\n";
    if (s.total > s.accepted) text << "the data set now has " << storage::Counted(s.total, "picture") << "\n";
    if (s.kept_from_before > 0)
      text << "continued: " << storage::Counted(s.kept_from_before, "input was", "inputs were") << " done before\n";
    if (!s.rejected.empty()) text << "rejected ones: " << (options.output / shard::kQuarantineName).string() << "\n";
  }
  if (!s.labels.empty()) text << LabelWords(s) << "\n";
  for (const std::string& note : s.notes) text << "note: " << note << "\n";
  if (s.left_out.files() > 0) text << "left out, no pictures: " << s.left_out.Words() << "\n";
  if (s.left_to_try > 0) {
    text << s.left_to_try << " of the inputs could not be read for a reason that may pass; the same command tries them "
         << "again\n";
  }
  text << "next: mpirun -np 2 gan-train --shards " << options.output.string() << "\n";
  // Names of files and labels come from others, and a terminal would obey their control characters.
  return cli::PrintableLines(text.str());
}

}  // namespace gan::preprocess
