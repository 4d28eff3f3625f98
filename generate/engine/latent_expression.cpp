#include "generate/engine/latent_expression.h"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <iomanip>
#include <optional>
#include <sstream>

#include "storage/counted.h"
#include "storage/errors.h"

namespace gan::generate {

namespace {

constexpr std::string_view kSeed = "seed:";

[[noreturn]] void Refuse(const std::string& expression, const std::string& why) {
  throw UsageError("--latent \"" + expression + "\": " + why);
}

// The grammar: EXPRESSION is [SIGN] TERM {SIGN TERM}, SIGN is + or - between spaces, TERM is [NUMBER *] SOURCE, and
// SOURCE is seed:N or FILE or FILE[ROW].

// A quotation mark after a backslash does not count, as for std::quoted.
bool HasOpenQuote(const std::string& text) {
  bool open = false;
  for (std::size_t i = 0; i < text.size(); ++i) open ^= text[i] == '"' && (i == 0 || text[i - 1] != '\\');
  return open;
}

// A name may have spaces only in double quotes; "\"my file.npy\"[2]" keeps the text behind the quotes.
std::vector<std::string> Words(const std::string& text) {
  // std::quoted would accept a quotation that is never closed.
  if (HasOpenQuote(text)) Refuse(text, "a quotation mark is missing");
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> std::quoted(word);) {
    words.push_back(word);
    if (in.peek() != '[') continue;
    std::string row;
    in >> row;
    words.back() += row;
  }
  return words;
}

template <typename Number>
std::optional<Number> ParseWhole(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "0.5*seed:1" -> "0.5" "*" "seed:1"; a star within a file name is left alone.
void SplitFactors(std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t star = words[i].find('*');
    if (star == std::string::npos || words[i].size() == 1 || !ParseWhole<double>(words[i].substr(0, star))) continue;
    const std::string rest = words[i].substr(star + 1);
    words[i].resize(star);
    words.insert(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, "*");
    if (!rest.empty()) words.insert(words.begin() + static_cast<std::ptrdiff_t>(i) + 2, rest);
  }
}

struct File {
  std::string name;
  std::optional<std::size_t> row;
};

File ParseFile(const std::string& source, const std::string& expression) {
  const std::size_t bracket = source.rfind('[');
  if (bracket == std::string::npos || !source.ends_with(']')) return {source, std::nullopt};
  const std::string number = source.substr(bracket + 1, source.size() - bracket - 2);
  const auto row = ParseWhole<std::size_t>(number);
  if (!row) Refuse(expression, "\"" + number + "\" is no number of a latent");
  return {source.substr(0, bracket), row};
}

std::vector<float> OfFile(const std::string& source, const std::string& expression, std::size_t noise_dim) {
  const File file = ParseFile(source, expression);
  const Latents all = FromFile(file.name, noise_dim);
  if (!file.row && all.count() > 1) {
    Refuse(expression,
           file.name + " holds " + std::to_string(all.count()) + " latents; choose one: " + file.name + "[0]");
  }
  const std::size_t row = file.row.value_or(0);
  if (row >= all.count()) Refuse(expression, file.name + " holds " + storage::Counted(all.count(), "latent") + " only");
  const auto begin = all.values.begin() + static_cast<std::ptrdiff_t>(row * noise_dim);
  return {begin, begin + static_cast<std::ptrdiff_t>(noise_dim)};
}

std::vector<float> LatentOf(const std::string& source, const std::string& expression, std::size_t noise_dim) {
  // "2seed:7" lacks a *. It is read as a file only where a file of that name exists.
  const std::size_t colon = source.find(kSeed);
  if (colon != 0 && colon != std::string::npos && !std::filesystem::exists(source)) {
    Refuse(expression, "\"" + source + "\" is neither a seed nor a file; write for example 2 * seed:7");
  }
  if (colon != 0) return OfFile(source, expression, noise_dim);
  const auto seed = ParseWhole<std::uint64_t>(std::string_view(source).substr(kSeed.size()));
  if (!seed) Refuse(expression, "\"" + source + "\" is no seed; write seed:7");
  return FromSeeds({*seed}, noise_dim).values;
}

std::vector<double> Evaluate(const std::string& expression, std::size_t noise_dim) {
  // In double, so that a sum of many terms is rounded once.
  std::vector<double> sum(noise_dim);
  for (const LatentTerm& term : ParseLatentExpression(expression)) {
    const std::vector<float> latent = LatentOf(term.source, expression, noise_dim);
    for (std::size_t i = 0; i < noise_dim; ++i) sum[i] += term.factor * double{latent[i]};
  }
  return sum;
}

}  // namespace

std::vector<LatentTerm> ParseLatentExpression(const std::string& text) {
  std::vector<std::string> words = Words(text);
  SplitFactors(words);
  std::vector<LatentTerm> terms;
  for (std::size_t i = 0; i < words.size(); ++i) {
    LatentTerm term;
    const bool has_sign = words[i] == "+" || words[i] == "-";
    if (!terms.empty() && !has_sign) Refuse(text, "write + or - before \"" + words[i] + "\", with spaces around it");
    if (has_sign) term.factor = words[i++] == "-" ? -1 : 1;
    if (i + 1 < words.size() && words[i + 1] == "*") {
      const auto factor = ParseWhole<double>(words[i]);
      if (!factor || !std::isfinite(*factor)) {
        Refuse(text, "\"" + words[i] + "\" is no number; a factor stands before its latent, as in 0.5 * seed:7");
      }
      term.factor *= *factor;
      i += 2;
    }
    if (i >= words.size()) Refuse(text, "a latent is missing at the end");
    if (words[i].empty() || words[i] == "+" || words[i] == "-" || words[i] == "*") {
      Refuse(text, "a latent is missing before \"" + words[i] + "\"");
    }
    term.source = words[i];
    terms.push_back(term);
  }
  if (terms.empty()) Refuse(text, "holds no latent; write for example seed:1 - seed:2 + file.npy");
  return terms;
}

Latents FromExpressions(const std::vector<std::string>& expressions, std::size_t noise_dim) {
  Latents latents{.noise_dim = noise_dim, .values = {}, .seeds = {}};
  for (const std::string& expression : expressions) {
    for (const double value : Evaluate(expression, noise_dim)) {
      latents.values.push_back(static_cast<float>(value));
      if (!std::isfinite(latents.values.back())) Refuse(expression, "the sum is not finite");
    }
  }
  return latents;
}

}  // namespace gan::generate
