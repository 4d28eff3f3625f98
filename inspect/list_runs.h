#pragma once

#include <filesystem>
#include <iosfwd>

namespace gan::inspect {

// Lists the runs directly below `root` by name, with the settings in which they differ. Prints a heading and one line
// of tab-separated columns per run or, with `as_json`, one object per run (RunSummary::Row() and "settings"). Reads
// every stats.jsonl to its end.
void ListRuns(const std::filesystem::path& root, bool as_json, std::ostream& out);

}  // namespace gan::inspect
