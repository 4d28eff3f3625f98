#pragma once

#include <filesystem>

#include "inspect/report.h"

namespace gan::inspect {

// A PNG, WebP or MP4 file: the provenance mark that gan-generate embedded, and the command that recreates the file. A
// file without a mark counts as intact.
Report InspectPicture(const std::filesystem::path& file);

}  // namespace gan::inspect
