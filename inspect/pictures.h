#pragma once

#include <filesystem>

#include "inspect/report.h"

namespace gan::inspect {

// A PNG, WebP or MP4 file: what its mark says of its origin, and the command that makes it again. A picture without a
// mark is intact.
Report InspectPicture(const std::filesystem::path& file);

}  // namespace gan::inspect
