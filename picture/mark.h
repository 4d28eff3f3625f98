// The mark of a generated picture: a machine-readable statement, in the file itself, that the picture was generated, by
// which model, and from which latents. It is XMP (ISO 16684-1) with the properties of the IPTC Photo Metadata Standard
// 2025.1, which tools for pictures read, and with our own properties, from which the picture can be made again.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gan::picture {

// The IPTC's term for media made by a model that was trained on sampled content (newscodes/digitalsourcetype).
inline constexpr std::string_view kTrainedAlgorithmicMedia =
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
// A composite in which at least one part is generated.
inline constexpr std::string_view kCompositeSynthetic =
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic";
// The namespace of our own properties. It leads to no web page: hosts below .invalid never exist (RFC 2606).
inline constexpr std::string_view kRecipeNamespace = "http://equipoise.invalid/ns/mark/1.0/";

// In Mark::recipe.
inline constexpr const char* kModelDigest = "modelDigest";
inline constexpr const char* kStep = "step";  // of training

struct Mark {
  std::string source_type{kTrainedAlgorithmicMedia};  // Iptc4xmpExt:DigitalSourceType
  std::string system;                                 // Iptc4xmpExt:AISystemUsed
  std::string version;                                // Iptc4xmpExt:AISystemVersionUsed
  std::string prompt;                                 // Iptc4xmpExt:AIPromptInformation, for people
  std::map<std::string, std::string> recipe;          // our own properties, by name
};

// The mark of any picture that Equipoise generates. program_version: "0.1.0"; model_digest: "xxh3-128:...".
Mark MarkOfModel(const std::string& program_version, const std::string& model_digest);

// An XMP packet, UTF-8. The names in mark.recipe must be XML names.
std::string EncodeMark(const Mark& mark);

// The properties of a mark in an XMP packet of any program; empty when it has no digital source type. Throws DataError
// naming `file` when it is not XML.
std::optional<Mark> DecodeMark(std::string_view xmp, const std::filesystem::path& file);

}  // namespace gan::picture
