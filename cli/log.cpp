#include "cli/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <vector>

#include "cli/printable.h"
#include "storage/errors.h"
#include "storage/warnings.h"

namespace gan::cli {

namespace {

// NO_COLOR (no-color.org) disables colours when it is set to anything but an empty text.
std::shared_ptr<spdlog::sinks::sink> StderrSink() {
  const char* no_color = std::getenv("NO_COLOR");
  const bool plain = no_color != nullptr && *no_color != '\0';
  return std::make_shared<spdlog::sinks::stderr_color_sink_mt>(plain ? spdlog::color_mode::never
                                                                     : spdlog::color_mode::automatic);
}

void Install(const std::string& name, const std::vector<spdlog::sink_ptr>& sinks, spdlog::level::level_enum level) {
  auto logger = std::make_shared<spdlog::logger>(name, sinks.begin(), sinks.end());
  logger->set_pattern("%H:%M:%S %^%L%$ %v");
  logger->set_level(level);
  // A killed process must not lose the lines that explain why.
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(logger);
  storage::SetWarningSink(&LogWarning);
}

}  // namespace

void QuietLog(const std::string& name) { Install(name, {StderrSink()}, spdlog::level::warn); }

void OpenLog(const std::string& name, const std::filesystem::path& file) {
  // Opened here first with O_NOFOLLOW, because spdlog would follow a symbolic link and overwrite its target.
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor < 0) throw IoError(file, "open", errno);
  ::close(descriptor);
  Install(name, {StderrSink(), std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string())},
          spdlog::level::info);
}

// "{}" is the only format string here: a text from outside may contain braces.
void LogInfo(const std::string& text) { spdlog::info("{}", PrintableLines(text)); }
void LogWarning(const std::string& text) { spdlog::warn("{}", PrintableLines(text)); }
void LogError(const std::string& text) { spdlog::error("{}", PrintableLines(text)); }

}  // namespace gan::cli
