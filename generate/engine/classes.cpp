#include "generate/engine/classes.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "storage/counted.h"
#include "storage/errors.h"
#include "storage/warnings.h"

namespace gan::generate {

namespace {

constexpr std::uint64_t kMostImages = std::uint64_t{1} << 50;  // of all classes; more would overflow sums

std::string KnownNames(const ClassTable& classes) {
  constexpr std::size_t kShown = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(classes.names.size(), kShown); ++i) {
    text += (i > 0 ? ", \"" : "\"") + classes.names[i] + "\"";
  }
  return classes.names.size() > kShown ? text + " and " + std::to_string(classes.names.size() - kShown) + " more"
                                       : text;
}

std::optional<std::uint32_t> Find(const std::string& name, const ClassTable& classes) {
  const auto found = std::ranges::find(classes.names, name);
  if (found == classes.names.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - classes.names.begin());
}

// Names may contain commas, so each name ends at the first comma that completes a known name.
void AddNamed(const std::string& text, const ClassTable& classes, std::vector<std::uint32_t>& chosen) {
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = begin;
    std::optional<std::uint32_t> found;
    do {
      end = std::min(text.find(',', end), text.size());
      found = Find(text.substr(begin, end - begin), classes);
    } while (!found && end++ < text.size());
    if (!found) {
      throw UsageError("--class " + text + ": \"" + text.substr(begin, text.find(',', begin) - begin) +
                       "\" is no class of this generator, which knows " + KnownNames(classes));
    }
    chosen.push_back(*found);
    begin = end + 1;
  }
}

}  // namespace

std::vector<data::ClassInfo> ParseClasses(const nlohmann::json& json, const Generator& generator,
                                          const std::filesystem::path& file) {
  const std::size_t count = generator.classes ? generator.classes->names.size() : 0;
  std::vector<data::ClassInfo> classes;
  std::uint64_t images = 0;
  for (const nlohmann::json& one : json) {
    const bool valid = one.is_object() && one.contains("name") && one.at("name").is_string() &&
                       one.contains("images") && one.at("images").is_number_unsigned() &&
                       one.at("images").get<std::uint64_t>() <= kMostImages;
    if (!valid)
      throw DataError(file, "class " + std::to_string(classes.size()) + " has no name or no number of images");
    classes.push_back({one.at("name"), one.at("images")});
    images += classes.back().images;
    if (images > kMostImages) throw DataError(file, "its classes have an impossible number of images");
  }
  if (classes.size() != count) {
    throw DataError(file, "names " + storage::Counted(classes.size(), "class", "classes") + ", the generator has " +
                              std::to_string(count));
  }
  if (count > 0 && images == 0) throw DataError(file, "none of its classes has images");
  return classes;
}

std::vector<std::uint32_t> ChooseClasses(const std::vector<std::string>& names, const Generator& generator) {
  if (!generator.classes) {
    if (!names.empty()) throw UsageError("--class: this generator was not trained with --conditional");
    return {};
  }
  std::vector<std::uint32_t> chosen;
  for (const std::string& text : names) AddNamed(text, *generator.classes, chosen);
  if (!chosen.empty()) return chosen;
  const std::size_t count = generator.classes->names.size();
  if (count > kMostRows) {
    storage::WarnOnce("classes", "the generator has " + std::to_string(count) + " classes; the first " +
                                     std::to_string(kMostRows) + " are shown, --class chooses others");
  }
  chosen.resize(std::min(count, kMostRows));
  std::iota(chosen.begin(), chosen.end(), 0);
  return chosen;
}

std::vector<std::string> NamesOf(const std::vector<std::uint32_t>& classes, const Generator& generator) {
  std::vector<std::string> names;
  names.reserve(classes.size());
  for (const std::uint32_t one : classes) names.push_back(generator.classes->names[one]);
  return names;
}

Latents WithEachClass(const Latents& latents, const std::vector<std::uint32_t>& classes, const Generator& generator) {
  if (classes.empty()) return latents;
  // Class by class, because a grid shows one class per row.
  Latents all{.noise_dim = latents.noise_dim, .values = {}, .seeds = {}};
  for (const std::uint32_t one : classes) {
    all.values.insert(all.values.end(), latents.values.begin(), latents.values.end());
    all.seeds.insert(all.seeds.end(), latents.seeds.begin(), latents.seeds.end());
    all.classes.insert(all.classes.end(), latents.count(), one);
    for (std::size_t i = 0; i < latents.count(); ++i) {
      const auto row = generator.classes->Row(one);
      all.embeddings.insert(all.embeddings.end(), row.begin(), row.end());
    }
  }
  return all;
}

std::vector<float> InputsOf(const Latents& latents, std::size_t first, std::size_t count) {
  // 0 without classes, so that a latent is the whole input.
  const std::size_t width = latents.embeddings.size() / latents.count();
  std::vector<float> inputs;
  inputs.reserve(count * (latents.noise_dim + width));
  for (std::size_t i = first; i < first + count; ++i) {
    const float* latent = latents.values.data() + i * latents.noise_dim;
    inputs.insert(inputs.end(), latent, latent + latents.noise_dim);
    const float* embedding = latents.embeddings.data() + i * width;
    inputs.insert(inputs.end(), embedding, embedding + width);
  }
  return inputs;
}

Generator OfOneClass(const Generator& generator, std::uint32_t one) {
  // A table with one class is exported as a part of the network (export/appended_class.cpp).
  Generator result = generator;
  const auto row = generator.classes->Row(one);
  result.classes = ClassTable{{generator.classes->names[one]}, generator.classes->width, {row.begin(), row.end()}};
  return result;
}

}  // namespace gan::generate
