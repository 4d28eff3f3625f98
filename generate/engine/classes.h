// The classes that a conditional generator is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "generate/engine/generator.h"
#include "generate/engine/latents.h"
#include "trainer/data/classes.h"

namespace gan::generate {

// The classes in a checkpoint's state, [{"name", "images"}], which must be as many as the generator has. Throws
// DataError naming `file`.
std::vector<data::ClassInfo> ParseClasses(const nlohmann::json& json, const Generator& generator,
                                          const std::filesystem::path& file);

// The classes that --class names, each value one name or several with commas, in their order. Without --class all of
// them, or with a warning the first kMostRows. Empty for a generator without classes. Throws UsageError for a name that
// the generator does not know, and for --class when it has no classes.
inline constexpr std::size_t kMostRows = 32;
std::vector<std::uint32_t> ChooseClasses(const std::vector<std::string>& names, const Generator& generator);

// The names of classes.
std::vector<std::string> NamesOf(const std::vector<std::uint32_t>& classes, const Generator& generator);

// Every latent with every class, class by class. The latents themselves when there are no classes.
Latents WithEachClass(const Latents& latents, const std::vector<std::uint32_t>& classes, const Generator& generator);

// The input of the first layer for latents [first, first + count): float [count, generator.inputs()].
std::vector<float> InputsOf(const Latents& latents, std::size_t first, std::size_t count);

// The generator for one of its classes only.
Generator OfOneClass(const Generator& generator, std::uint32_t one);

}  // namespace gan::generate
