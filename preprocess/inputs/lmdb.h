// LMDB databases whose values are picture files, as LSUN is published.
#pragma once

#include <filesystem>
#include <string_view>

#include "preprocess/inputs/sources.h"

namespace gan::preprocess {

// Call this first in main(). The program starts itself again as a reader of LMDB, with this argument; then the call
// serves that reader and never returns.
void BecomeLmdbReaderWhenAsked(int argc, char** argv);

// Whether a file begins like a data.mdb.
bool IsLmdb(std::string_view head);

// Adds every value that is a picture, in the order of the keys, which are the names; keys that are not text become
// hexadecimal. With --labels auto the value of "label-000000001" labels "image-000000001". `file`: the file itself. It
// is opened read-only and without its lock, in a process of its own, because the library trusts what it reads. Throws
// DataError naming the file when it is not a valid database, IoError for errors that may pass.
void AddLmdb(const std::filesystem::path& file, const LabelOptions& labels, SourceList& found);

}  // namespace gan::preprocess
