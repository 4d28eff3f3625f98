#include "picture/mark.h"

#include <pugixml.hpp>
#include <sstream>

#include "storage/errors.h"

namespace gan::picture {

namespace {

constexpr std::string_view kRdfNamespace = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
constexpr std::string_view kIptcNamespace = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
constexpr std::string_view kRecipePrefix = "equipoise:";
constexpr std::string_view kIptcPrefix = "Iptc4xmpExt:";
// The packet wrapper of ISO 16684-1, 7.3.2: a byte-order mark as `begin`, an id that is the same in every packet.
constexpr const char* kPacketBegin = "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n";
constexpr const char* kPacketEnd = "<?xpacket end=\"r\"?>\n";

void AddProperty(pugi::xml_node& description, const std::string& name, const std::string& value) {
  if (!value.empty()) description.append_child(name.c_str()).text().set(value.c_str());
}

void AddNamespace(pugi::xml_node& node, const std::string& prefix, std::string_view uri) {
  node.append_attribute(("xmlns:" + prefix).c_str()).set_value(std::string(uri).c_str());
}

// The namespace of a property and its name. The element itself or an outer one declares the prefixes.
struct QualifiedName {
  std::string_view uri, local;
};

// Prefixes are chosen by the author of a file: another program may write "iptcExt:" for the same namespace, or rewrite
// our prefixes when it saves the file. Properties are therefore compared by namespace.
std::string_view UriOf(const std::string& prefix, pugi::xml_node node) {
  for (const std::string declaration = "xmlns:" + prefix; node; node = node.parent()) {
    if (const auto found = node.attribute(declaration.c_str())) return found.value();
  }
  return {};
}

QualifiedName Resolve(std::string_view name, const pugi::xml_node& scope) {
  const std::size_t colon = name.find(':');
  if (colon == std::string_view::npos) return {{}, name};
  return {UriOf(std::string(name.substr(0, colon)), scope), name.substr(colon + 1)};
}

bool Is(const pugi::xml_node& node, std::string_view uri, std::string_view local) {
  const QualifiedName name = Resolve(node.name(), node);
  return name.uri == uri && name.local == local;
}

void Take(const QualifiedName& name, const std::string& value, Mark& mark) {
  if (name.uri == kRecipeNamespace) mark.recipe[std::string(name.local)] = value;
  if (name.uri != kIptcNamespace) return;
  if (name.local == "DigitalSourceType") mark.source_type = value;
  if (name.local == "AISystemUsed") mark.system = value;
  if (name.local == "AISystemVersionUsed") mark.version = value;
  if (name.local == "AIPromptInformation") mark.prompt = value;
}

// XMP writes a simple property as an element or as an attribute; a URI may be in rdf:resource.
void TakeProperties(const pugi::xml_node& description, Mark& mark) {
  for (const pugi::xml_attribute& attribute : description.attributes()) {
    Take(Resolve(attribute.name(), description), attribute.value(), mark);
  }
  for (const pugi::xml_node& property : description.children()) {
    std::string value = property.text().get();
    for (const pugi::xml_attribute& attribute : property.attributes()) {
      const QualifiedName name = Resolve(attribute.name(), property);
      if (name.uri == kRdfNamespace && name.local == "resource") value = attribute.value();
    }
    Take(Resolve(property.name(), property), value, mark);
  }
}

}  // namespace

Mark MarkOfModel(const std::string& program_version, const std::string& model_digest) {
  Mark mark;
  mark.system = "Equipoise";
  mark.version = program_version + ", model " + model_digest;
  mark.recipe[kModelDigest] = model_digest;
  return mark;
}

std::string EncodeMark(const Mark& mark) {
  pugi::xml_document document;
  pugi::xml_node meta = document.append_child("x:xmpmeta");
  AddNamespace(meta, "x", "adobe:ns:meta/");
  pugi::xml_node rdf = meta.append_child("rdf:RDF");
  AddNamespace(rdf, "rdf", kRdfNamespace);
  pugi::xml_node description = rdf.append_child("rdf:Description");
  description.append_attribute("rdf:about").set_value("");
  AddNamespace(description, "Iptc4xmpExt", kIptcNamespace);
  AddNamespace(description, "equipoise", kRecipeNamespace);
  const std::string iptc(kIptcPrefix);
  AddProperty(description, iptc + "DigitalSourceType", mark.source_type);
  AddProperty(description, iptc + "AISystemUsed", mark.system);
  AddProperty(description, iptc + "AISystemVersionUsed", mark.version);
  AddProperty(description, iptc + "AIPromptInformation", mark.prompt);
  for (const auto& [name, value] : mark.recipe) AddProperty(description, std::string(kRecipePrefix) + name, value);
  std::ostringstream out;
  out << kPacketBegin;
  document.save(out, " ", pugi::format_indent | pugi::format_no_declaration, pugi::encoding_utf8);
  out << kPacketEnd;
  return out.str();
}

std::optional<Mark> DecodeMark(std::string_view xmp, const std::filesystem::path& file) {
  pugi::xml_document document;
  // pugixml expands no entities of a document type and loads no other file, so a hostile packet can do neither.
  const pugi::xml_parse_result parsed = document.load_buffer(xmp.data(), xmp.size());
  if (!parsed) {
    throw DataError(file, "its XMP is no XML at byte " + std::to_string(parsed.offset) + ": " + parsed.description());
  }
  const pugi::xml_node top = document.document_element();
  // The element x:xmpmeta around rdf:RDF is optional in XMP.
  const pugi::xml_node rdf = Is(top, kRdfNamespace, "RDF") ? top : top.find_child([](const pugi::xml_node& child) {
    return Is(child, kRdfNamespace, "RDF");
  });
  Mark mark;
  // A new Mark has a source type. Without clearing it, any XMP would say that its image is generated.
  mark.source_type.clear();
  for (const pugi::xml_node& child : rdf.children()) {
    if (Is(child, kRdfNamespace, "Description")) TakeProperties(child, mark);
  }
  if (mark.source_type.empty()) return std::nullopt;
  return mark;
}

}  // namespace gan::picture
