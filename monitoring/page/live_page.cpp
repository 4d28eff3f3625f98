#include "monitoring/page/live_page.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "monitoring/base64.h"
#include "monitoring/page/embedded_page.h"
#include "storage/files.h"

namespace gan::monitoring {
namespace {

HttpResponse Page() {
  HttpResponse response{.content_type = "text/html; charset=utf-8",
                        .body = std::string(kPageHead) + std::string(kPageTail)};
  // The whole policy is sent as a header, because a meta tag cannot forbid frames.
  response.headers = "Content-Security-Policy: " + std::string(kPagePolicy) + "; frame-ancestors 'none'\r\n";
  return response;
}

HttpResponse PictureResponse(const RunView& run, std::string_view name) {
  auto bytes = run.Picture(name);
  if (!bytes) return {404, "text/plain", "No such image.\n"};
  return {.content_type = "image/png", .body = std::move(*bytes)};
}

// Makes JSON safe inside a script element, where "</script" and "<!--" would be interpreted as HTML.
std::string WithoutMarkup(const std::string& json) {
  std::string safe;
  safe.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

// Chooses `most` of the steps, evenly spaced, with the first and the last among them.
std::vector<std::uint64_t> Spread(const std::vector<std::uint64_t>& steps, std::size_t most) {
  if (steps.size() <= most) return steps;
  std::vector<std::uint64_t> chosen;
  for (std::size_t i = 0; i < most; ++i) chosen.push_back(steps[i * (steps.size() - 1) / (most - 1)]);
  return chosen;
}

// Data URLs make the report a single file.
nlohmann::json PicturesOf(const RunView& run) {
  nlohmann::json pictures = nlohmann::json::object();
  const auto add = [&](const std::string& name) {
    if (const auto bytes = run.Picture(name)) pictures[name] = "data:image/png;base64," + Base64(*bytes);
  };
  add("reals.png");
  for (const std::uint64_t step : Spread(run.Fakes(), kReportGrids)) add(RunView::FakesName(step));
  return pictures;
}

}  // namespace

void ServePage(HttpServer& server, const std::shared_ptr<RunView>& run) {
  server.Handle("/", [] { return Page(); });
  server.Handle("/run.json",
                [run] { return HttpResponse{.content_type = "application/json", .body = run->JsonText()}; });
  server.HandleBelow("/pictures/", [run](std::string_view name) { return PictureResponse(*run, name); });
}

void WriteReport(const std::filesystem::path& run, const std::filesystem::path& out) {
  RunView view(run, /*live=*/false);
  std::string data = view.CompleteJsonText();
  // Replaces the closing brace, so that the images become a further member of the object.
  data.back() = ',';
  data += "\"pictures\":" + PicturesOf(view).dump() + "}";
  storage::WriteFileAtomically(out, std::string(kPageHead) + WithoutMarkup(data) + std::string(kPageTail));
}

}  // namespace gan::monitoring
