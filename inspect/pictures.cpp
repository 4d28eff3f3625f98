#include "inspect/pictures.h"

#include <string>

#include "picture/marked_file.h"

namespace gan::inspect {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

// Quotes a text for a POSIX shell. Between single quotes every character but the quote itself is literal.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// A value of the recipe as a command-line argument; empty when there is none. The value may come from an untrusted
// file, so it is quoted.
std::string Argument(const picture::Mark& mark, const char* name, const std::string& flag) {
  const auto found = mark.recipe.find(name);
  return found == mark.recipe.end() ? "" : " " + flag + " " + Quoted(found->second);
}

// The command that creates the image again: from the seeds or, when latents were used, from the latents that the file
// contains. Empty when the mark has neither.
std::string CommandAgain(const picture::Mark& mark, const fs::path& file) {
  const bool has_seeds = mark.recipe.contains("seeds");
  if (!has_seeds && !mark.recipe.contains("latents")) return "";
  // gan-generate reads latents from the mark of the file itself.
  const std::string latents = has_seeds
                                  ? Argument(mark, "seeds", "--seeds") + Argument(mark, "truncation", "--truncation")
                                  : " --latents " + Quoted(file.string());
  return "gan-generate --checkpoint MODEL" + latents + Argument(mark, "class", "--class") +
         Argument(mark, "interpolate", "--interpolate") + Argument(mark, "columns", "--columns") + " --out again" +
         file.extension().string();
}

void AddMark(const picture::Mark& mark, const fs::path& file, Json& facts) {
  facts["digital_source_type"] = mark.source_type;
  facts["generated"] =
      mark.source_type == picture::kTrainedAlgorithmicMedia || mark.source_type == picture::kCompositeSynthetic;
  for (const auto& [name, value] :
       {std::pair("ai_system", mark.system), {"ai_system_version", mark.version}, {"ai_prompt", mark.prompt}}) {
    if (!value.empty()) facts[name] = value;
  }
  Json recipe = Json::object();
  for (const auto& [name, value] : mark.recipe) recipe[name] = value;
  if (!recipe.empty()) facts["recipe"] = recipe;
  const std::string again = CommandAgain(mark, file);
  if (!again.empty()) facts["again"] = again;
}

}  // namespace

Report InspectPicture(const fs::path& file) {
  Report report;
  report.facts = {{"kind", "image"}, {"path", file.string()}, {"bytes", fs::file_size(file)}};
  report.Check([&] {
    const picture::MarkedFile read = picture::ReadMarkedFile(file);
    report.facts["format"] = picture::NameOf(read.format);
    if (read.mark) {
      AddMark(*read.mark, file, report.facts);
    } else {
      // null means that there is no mark; a missing member would leave that open.
      report.facts["digital_source_type"] = nullptr;
    }
  });
  return report;
}

}  // namespace gan::inspect
