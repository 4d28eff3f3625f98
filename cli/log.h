// The log of a long-running program: written to stderr and, after OpenLog, to a file. Callers pass finished text and
// format it themselves, because LibTorch's headers contain another version of fmt than spdlog's.
#pragma once

#include <filesystem>
#include <string>

namespace gan::cli {

// Shows only warnings and errors until OpenLog is called. Ranks that never call OpenLog stay in this mode.
void QuietLog(const std::string& name);
// From now on everything is shown on stderr and appended to `file`.
void OpenLog(const std::string& name, const std::filesystem::path& file);

void LogInfo(const std::string& text);
void LogWarning(const std::string& text);
void LogError(const std::string& text);

}  // namespace gan::cli
