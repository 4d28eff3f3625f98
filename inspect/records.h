#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>

namespace gan::inspect {

// Lists every record of a shard or shard folder in order: its number (from 0), the shard, the number and the name of
// the input it was made from, and its label. Prints a heading and one line of tab-separated columns per record or, with
// `as_json`, one object per record. Throws DataError.
void ListRecords(const std::filesystem::path& path, bool as_json, std::ostream& out);

// Verifies one record, given by its number in that list, and writes it as a PNG of its own size. Throws DataError when
// it is damaged, UsageError when the number is too large.
void DumpRecord(const std::filesystem::path& path, std::uint64_t number, const std::filesystem::path& out);

}  // namespace gan::inspect
