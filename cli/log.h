// The log of a long-running tool: to stderr, and to a file once there is one. Finished text only: callers format, since
// LibTorch's headers bring another version of fmt than spdlog's.
#pragma once

#include <filesystem>
#include <string>

namespace gan::cli {

// Until OpenLog is called, and for ever on ranks that never call it, only warnings and errors are shown.
void QuietLog(const std::string& name);
// Shows everything on stderr and appends it to `file`.
void OpenLog(const std::string& name, const std::filesystem::path& file);

void LogInfo(const std::string& text);
void LogWarning(const std::string& text);
void LogError(const std::string& text);

}  // namespace gan::cli
