#include "generate/engine/recipe.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <vector>

#include "picture/marked_file.h"
#include "storage/checksum.h"
#include "storage/counted.h"
#include "storage/errors.h"
#include "storage/warnings.h"

namespace gan::generate {

namespace {

constexpr std::size_t kMostNumbers = 100'000;  // numbers of latents in a mark; about a megabyte of text
constexpr const char* kSeeds = "seeds";
constexpr const char* kLatents = "latents";
constexpr const char* kLatentsDigest = "latentsDigest";
constexpr const char* kTruncation = "truncation";
constexpr const char* kInterpolate = "interpolate";
constexpr const char* kColumns = "columns";
constexpr const char* kClass = "class";

// The shortest decimal number that reads back as the same value.
template <typename Number>
std::string Decimal(Number value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string Numbers(std::span<const float> values) {
  std::string text;
  for (const float value : values) text += (text.empty() ? "" : " ") + Decimal(value);
  return text;
}

// 3 4 5 9 -> "3-5,9", the format of --seeds.
std::string SeedList(const std::vector<std::uint64_t>& seeds) {
  std::string list;
  for (std::size_t i = 0; i < seeds.size();) {
    std::size_t last = i;
    // Compared before the subtraction: seeds are unsigned and may be in any order.
    while (last + 1 < seeds.size() && seeds[last + 1] > seeds[last] && seeds[last + 1] - seeds[last] == 1) ++last;
    list += (i > 0 ? "," : "") + std::to_string(seeds[i]) + (last > i ? "-" + std::to_string(seeds[last]) : "");
    i = last + 1;
  }
  return list;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) text += (i > 0 ? "," : "") + names[i];
  return text;
}

bool CanHaveAMark(const std::filesystem::path& file) {
  const std::string ending = file.extension().string();
  return ending != ".npy" && ending != ".safetensors";
}

std::string Words(const Recipe& recipe, const std::string& seeds) {
  const std::size_t count = recipe.latents.count();
  std::string words = count == 1 ? "one latent" : std::to_string(count) + " latents";
  if (!seeds.empty()) words = (count == 1 ? "seed " : "seeds ") + seeds;
  if (!recipe.classes.empty()) {
    words += (recipe.classes.size() == 1 ? " of the class " : " of each of the classes ") + Joined(recipe.classes);
  }
  if (recipe.between_classes) words += ", between two classes";
  if (recipe.truncation != 1) words += ", truncation " + Decimal(recipe.truncation);
  if (recipe.interpolate > 0) words += ", a walk with " + storage::Counted(recipe.interpolate, "image") + " per latent";
  return words;
}

// The name of a value in a mark, or nothing.
const std::string* Find(const picture::Mark& mark, const char* name) {
  const auto found = mark.recipe.find(name);
  return found == mark.recipe.end() ? nullptr : &found->second;
}

[[noreturn]] void Refuse(const std::filesystem::path& file, const std::string& why) {
  throw DataError(file, "its mark " + why);
}

double ParseTruncation(const picture::Mark& mark, const std::filesystem::path& file) {
  const std::string* text = Find(mark, kTruncation);
  if (text == nullptr) return 1;
  double psi = 1;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), psi);
  if (error != std::errc() || end != text->data() + text->size()) Refuse(file, "has a truncation that is no number");
  return psi;
}

std::vector<float> ParseNumbers(const std::string& text, const std::filesystem::path& file) {
  std::vector<float> values;
  for (const char *at = text.data(), *end = at + text.size(); at < end; ++at) {
    float value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || (next < end && *next != ' ')) {
      Refuse(file, "has latents that are no numbers at " + std::to_string(values.size()));
    }
    values.push_back(value);
    at = next;
  }
  return values;
}

Latents OfSeeds(const std::string& seeds, std::size_t noise_dim, const std::filesystem::path& file) {
  try {
    return FromSeeds(ParseSeeds(seeds), noise_dim);
  } catch (const UsageError& error) {
    Refuse(file, std::string("has no list of seeds: ") + error.what());
  }
}

}  // namespace

std::string ModelDigest(const Generator& generator) {
  storage::Digest digest;
  const auto add = [&](const std::vector<float>& values) { digest.Update(std::as_bytes(std::span(values))); };
  for (const Layer& layer : generator.layers) {
    add(layer.weight);
    add(layer.bias);
    if (!layer.norm) continue;
    add(layer.norm->scale);
    add(layer.norm->shift);
  }
  if (generator.classes) add(generator.classes->embedding);
  return digest.Text();
}

void AddRecipe(const Recipe& recipe, picture::Mark& mark) {
  const Latents& latents = recipe.latents;
  const std::string seeds = SeedList(latents.seeds);
  // Seeds are preferred to numbers, because they are short and easy to type.
  if (!seeds.empty() && !recipe.between_classes) {
    mark.recipe[kSeeds] = seeds;
    if (recipe.truncation != 1) mark.recipe[kTruncation] = Decimal(recipe.truncation);
  } else if (latents.values.size() <= kMostNumbers && !recipe.between_classes) {
    // Numbers are those after truncation. Seeds give the latents before truncation, so the truncation is written beside
    // seeds only.
    mark.recipe[kLatents] = Numbers(latents.values);
  } else {
    // The image cannot be made from a digest, but a file of latents can be compared with it.
    mark.recipe[kLatentsDigest] = storage::DigestOf(std::as_bytes(std::span(latents.values)));
  }
  if (!recipe.classes.empty()) mark.recipe[kClass] = Joined(recipe.classes);
  if (recipe.interpolate > 0) mark.recipe[kInterpolate] = std::to_string(recipe.interpolate);
  if (recipe.columns > 0) mark.recipe[kColumns] = std::to_string(recipe.columns);
  mark.prompt = Words(recipe, seeds);
}

Latents FromMarkedFile(const std::filesystem::path& file, std::size_t noise_dim) {
  const std::optional<picture::Mark> mark = picture::ReadMarkedFile(file).mark;
  if (!mark) throw DataError(file, "has no mark that says how it was generated");
  Latents latents{.noise_dim = noise_dim, .values = {}, .seeds = {}};
  if (const std::string* seeds = Find(*mark, kSeeds)) {
    latents = OfSeeds(*seeds, noise_dim, file);
    const double psi = ParseTruncation(*mark, file);
    Truncate(latents, psi);
    if (psi != 1) latents.seeds.clear();  // the seeds alone no longer determine the latents
  } else if (const std::string* numbers = Find(*mark, kLatents)) {
    latents.values = ParseNumbers(*numbers, file);
  } else {
    Refuse(file, "names neither seeds nor latents");
  }
  if (latents.values.empty() || latents.values.size() % noise_dim != 0) {
    Refuse(file, "holds " + std::to_string(latents.values.size()) + " numbers, which are no latents of " +
                     std::to_string(noise_dim));
  }
  RequireFinite(latents, file);
  return latents;
}

std::vector<std::string> ClassesOfMark(const std::filesystem::path& file) {
  if (!CanHaveAMark(file)) return {};
  const std::optional<picture::Mark> mark = picture::ReadMarkedFile(file).mark;
  const std::string* names = mark ? Find(*mark, kClass) : nullptr;
  return names == nullptr ? std::vector<std::string>() : std::vector<std::string>{*names};
}

void WarnOfAnotherModel(const std::filesystem::path& file, const Generator& generator) {
  if (!CanHaveAMark(file)) return;
  const std::optional<picture::Mark> mark = picture::ReadMarkedFile(file).mark;
  if (!mark) return;
  const std::string* made_by = Find(*mark, picture::kModelDigest);
  const std::string digest = ModelDigest(generator);
  if (made_by == nullptr || *made_by == digest) return;
  storage::WarnOnce("another model", file.string() + " was generated by the model " + *made_by + ", not by this one, " +
                                         digest + "; the same latents give other images here");
}

}  // namespace gan::generate
