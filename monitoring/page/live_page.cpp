#include "monitoring/page/live_page.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "monitoring/base64.h"
#include "monitoring/page/embedded_page.h"
#include "monitoring/page/run_files.h"
#include "storage/files.h"

namespace gan::monitoring {
namespace {

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

// Data URLs make the report a single file. Grids are chosen evenly over the run, since each one is in the report in
// full.
nlohmann::json PicturesOf(const RunView& run, const std::filesystem::path& folder) {
  nlohmann::json pictures = nlohmann::json::object();
  const auto add = [&](const std::string& name) {
    if (const auto bytes = run.Picture(name)) pictures[name] = "data:image/png;base64," + Base64(*bytes);
  };
  add("reals.png");
  for (const std::uint64_t step : Spread(StepsOfGrids(folder), kReportGrids)) add(GridName(step));
  // The page shows only the newest one of these.
  const std::vector<std::uint64_t> nearest = StepsOfGrids(folder, kNearest);
  if (!nearest.empty()) add(GridName(nearest.back(), kNearest));
  return pictures;
}

}  // namespace

HttpResponse PageResponse(std::string_view head, std::string_view tail, std::string_view policy) {
  HttpResponse response{.content_type = "text/html; charset=utf-8", .body = std::string(head) + std::string(tail)};
  // The whole policy is sent as a header, because a meta tag cannot forbid frames.
  response.headers = "Content-Security-Policy: " + std::string(policy) + "; frame-ancestors 'none'\r\n";
  return response;
}

HttpResponse RunResponse(RunView& run, std::string_view what) {
  constexpr std::string_view kPictures = "pictures/";
  if (what.empty()) return PageResponse(kPageHead, kPageTail, kPagePolicy);
  if (what == "run.json") return HttpResponse{.content_type = "application/json", .body = run.JsonText()};
  if (what.starts_with(kPictures)) return PictureResponse(run, what.substr(kPictures.size()));
  return {404, "text/plain", "Not found.\n"};
}

void ServePage(HttpServer& server, const std::shared_ptr<RunView>& run) {
  server.Handle("/", [run] { return RunResponse(*run, ""); });
  server.Handle("/run.json", [run] { return RunResponse(*run, "run.json"); });
  server.HandleBelow("/pictures/",
                     [run](std::string_view name) { return RunResponse(*run, "pictures/" + std::string(name)); });
}

void WriteReport(const std::filesystem::path& run, const std::filesystem::path& out) {
  RunView view(run, /*live=*/false);
  std::string data = view.CompleteJsonText();
  // Replaces the closing brace, so that the images become a further member of the object.
  data.back() = ',';
  data += "\"pictures\":" + PicturesOf(view, run).dump() + "}";
  storage::WriteFileAtomically(out, std::string(kPageHead) + WithoutMarkup(data) + std::string(kPageTail));
}

}  // namespace gan::monitoring
