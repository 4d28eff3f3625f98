#include "trainer/run/flags.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "trainer/run/options.h"

namespace gan::run {

namespace {

constexpr std::uint64_t kAuto = TrainOptions::kAutomatic;
constexpr const char* kAutoWord = "auto";

std::optional<std::uint64_t> NumberOrAuto(const std::string& text) {
  if (text == kAutoWord) return kAuto;
  // from_chars rejects signs and spaces. strtoull would turn "-1" into the largest number, which is kAuto.
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

}  // namespace

void Flags::RequireUtf8(CLI::Option& option) {
  const auto check = [](const std::string& text) -> std::string {
    try {
      (void)nlohmann::json(text).dump();
      return "";
    } catch (const nlohmann::json::exception&) {
      return text + " is not UTF-8; rename it, because the run keeps this name in JSON files";
    }
  };
  option.check(CLI::Validator(check, ""));
}

nlohmann::json Flags::ToJson() const {
  nlohmann::json json;
  for (const auto& [name, value] : values_) json[name] = value.get();
  return json;
}

nlohmann::json Flags::JsonOf(const std::vector<std::filesystem::path>& paths) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& path : paths) list.push_back(path.string());
  return list;
}

void Flags::Read(const nlohmann::json& json, std::vector<std::filesystem::path>& paths) {
  paths.clear();
  for (const auto& path : json) paths.emplace_back(path.get<std::string>());
}

CLI::Option* Flags::AddNumberOrAuto(OnResume on_resume, const std::string& name, std::uint64_t& value,
                                    const std::string& help) {
  // JSON has the word and not kAuto, so that people can read options.json.
  Remember(on_resume, name,
           {[&value] { return value == kAuto ? nlohmann::json(kAutoWord) : nlohmann::json(value); },
            [&value](const auto& json) { value = json == kAutoWord ? kAuto : json.template get<std::uint64_t>(); }});
  const auto take = [&value](const std::string& text) { value = NumberOrAuto(text).value(); };
  const auto check = [](const std::string& text) {
    return NumberOrAuto(text) ? std::string() : text + " is neither a whole number from 0 nor auto";
  };
  CLI::Option* option = app_.add_option_function<std::string>(name, take, help)->group(group_);
  option->type_name("N|auto")->check(CLI::Validator(check, ""));
  return option->default_str(value == kAuto ? kAutoWord : std::to_string(value));
}

void Flags::Remember(OnResume on_resume, const std::string& name, Access access) {
  std::string key = name.substr(2);
  std::replace(key.begin(), key.end(), '-', '_');
  values_.emplace(key, std::move(access));
  if (on_resume == OnResume::kMayChange) may_change_.insert(key);
}

}  // namespace gan::run
