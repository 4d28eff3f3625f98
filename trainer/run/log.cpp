#include "trainer/run/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <vector>

namespace gan::run {

namespace {

std::shared_ptr<spdlog::sinks::sink> StderrSink() {
  const char* no_color = std::getenv("NO_COLOR");
  const bool plain = no_color != nullptr && *no_color != '\0';
  return std::make_shared<spdlog::sinks::stderr_color_sink_mt>(plain ? spdlog::color_mode::never
                                                                     : spdlog::color_mode::automatic);
}

void Install(std::vector<spdlog::sink_ptr> sinks, spdlog::level::level_enum level) {
  auto logger = std::make_shared<spdlog::logger>("gan-train", sinks.begin(), sinks.end());
  logger->set_pattern("%H:%M:%S %^%L%$ %v");
  logger->set_level(level);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(logger);
}

}  // namespace

void QuietLog() { Install({StderrSink()}, spdlog::level::warn); }

void OpenLog(const std::filesystem::path& file) {
  Install({StderrSink(), std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string())}, spdlog::level::info);
}

}  // namespace gan::run
