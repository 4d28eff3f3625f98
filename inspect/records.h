#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>

namespace gan::inspect {

// Every record of a shard, or of a shard folder in order: its number (from 0), the shard, the number of the input that
// it was made of, its label and the name of that input. A line of tab-separated columns each, with a heading; or, with
// `as_json`, an object each. Throws DataError.
void ListRecords(const std::filesystem::path& path, bool as_json, std::ostream& out);

// Writes one record, by its number in that list, as a PNG of its own size. It is verified first. Throws DataError,
// UsageError when there are not that many.
void DumpRecord(const std::filesystem::path& path, std::uint64_t number, const std::filesystem::path& out);

}  // namespace gan::inspect
