#pragma once

#include <filesystem>

namespace gan::run {

// Sends the default logger to stderr and, appended, to `file`. Before this call only warnings and errors are shown.
void OpenLog(const std::filesystem::path& file);
void QuietLog();  // for ranks that only speak up when something is wrong

}  // namespace gan::run
