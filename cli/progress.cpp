#include "cli/progress.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace gan::cli {

namespace {

using Clock = std::chrono::steady_clock;

bool UseColour() {
  const char* no_color = std::getenv("NO_COLOR");
  return no_color == nullptr || *no_color == '\0';
}

std::string Bar(double fraction) {
  constexpr int kCells = 24;
  const int full = static_cast<int>(fraction * kCells);
  std::string bar(static_cast<std::size_t>(full), '#');
  return bar + std::string(static_cast<std::size_t>(kCells - full), '.');
}

}  // namespace

// Two units are precise enough for an estimate.
std::string FormatDuration(std::chrono::duration<double> seconds) {
  const auto whole = static_cast<long long>(seconds.count() + 0.5);
  char text[64];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%lld h %02lld min", whole / 3600, whole / 60 % 60);
  } else if (whole >= 60) {
    std::snprintf(text, sizeof text, "%lld min %02lld s", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld s", whole);
  }
  return text;
}

// A log file or a pipe gets nothing, because each update would be a separate line there.
ProgressBar::ProgressBar(std::string what, std::uint64_t total)
    : what_(std::move(what)), total_(total), shown_(::isatty(STDERR_FILENO) == 1), start_(Clock::now()) {}

ProgressBar::~ProgressBar() { Finish(); }

void ProgressBar::Update(std::uint64_t done, const std::string& note) {
  const Clock::time_point now = Clock::now();
  // At most ten updates per second, except that the last one is always shown.
  if (!shown_ || total_ == 0 || (now - last_ < std::chrono::milliseconds(100) && done < total_)) return;
  last_ = now;
  const double fraction = static_cast<double>(done) / static_cast<double>(total_);
  const std::chrono::duration<double> spent = now - start_;
  // Extrapolates from the mean speed so far.
  const std::string left = done == 0 ? "" : FormatDuration(spent * (1 / fraction - 1)) + " left";
  const bool colour = UseColour();
  // "\r" and "\033[K" overwrite the previous line.
  std::fprintf(stderr, "\r\033[K%s %s%s%s %5.1f %%  %s  %s", what_.c_str(), colour ? "\033[36m" : "",
               Bar(fraction).c_str(), colour ? "\033[0m" : "", 100 * fraction, left.c_str(), note.c_str());
  std::fflush(stderr);
}

void ProgressBar::Finish() {
  if (!shown_) return;
  std::fputs("\n", stderr);
  shown_ = false;
}

}  // namespace gan::cli
