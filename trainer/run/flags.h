// One declaration a flag: how it is parsed, what a checkpoint calls it, and whether a resumed run may give another
// value.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace gan::run {

enum class OnResume : std::uint8_t {
  kFixed,     // part of the mathematics: changing it in mid-run would make the run irreproducible
  kMayChange  // where, how long, how often, on what machine
};

template <typename Choice>
using Names = std::map<std::string, Choice>;

// The word for a choice.
template <typename Choice>
std::string NameOf(Choice choice, const Names<Choice>& names) {
  for (const auto& [name, value] : names) {
    if (value == choice) return name;
  }
  throw std::logic_error("a choice without a name");
}

class Flags {
 public:
  // Both must outlive what `app` parses into.
  explicit Flags(CLI::App& app) : app_(app) {}

  // The heading in --help of the flags that follow.
  void Group(const std::string& name) { group_ = name; }

  // --name VALUE: a number, a text, a path or several paths.
  template <typename Value>
  CLI::Option* Add(OnResume on_resume, const std::string& name, Value& value, const std::string& help) {
    Remember(on_resume, name, {[&value] { return JsonOf(value); }, [&value](const auto& json) { Read(json, value); }});
    CLI::Option* option = app_.add_option(name, value, help)->group(group_);
    if constexpr (std::is_arithmetic_v<Value>) return option->capture_default_str();
    if (JsonOf(value) != "" && !JsonOf(value).is_array()) option->capture_default_str();
    return option;
  }

  // --name, and --no-name to take back what a file of options says.
  CLI::Option* AddSwitch(OnResume on_resume, const std::string& name, bool& value, const std::string& help) {
    Remember(on_resume, name,
             {[&value] { return nlohmann::json(value); }, [&value](const auto& json) { Read(json, value); }});
    return app_.add_flag(name + ",!--no-" + name.substr(2), value, help)->group(group_);
  }

  // --name WORD, one of a few. `names` must outlive the flags.
  template <typename Choice>
  CLI::Option* AddChoice(OnResume on_resume, const std::string& name, Choice& value, const Names<Choice>& names,
                         const std::string& help) {
    Remember(on_resume, name,
             {[&value, &names] { return nlohmann::json(NameOf(value, names)); },
              [&value, &names](const auto& json) { value = names.at(json.template get<std::string>()); }});
    std::string all;
    for (const auto& item : names) all += (all.empty() ? "" : ",") + item.first;
    return app_.add_option(name, value, help)
        ->transform(CLI::CheckedTransformer(names, CLI::ignore_case).description("{" + all + "}"))
        ->group(group_)
        ->default_str(NameOf(value, names));
  }

  // What the flags hold now, by their names with "_" for "-".
  nlohmann::json ToJson() const;
  const std::set<std::string>& may_change() const { return may_change_; }
  // Gives the flag that ToJson calls `name` the value that ToJson told once. Throws nlohmann::json::exception or
  // std::out_of_range where it is none.
  void Take(const std::string& name, const nlohmann::json& value) { values_.at(name).take(value); }

 private:
  struct Access {
    std::function<nlohmann::json()> tell;
    std::function<void(const nlohmann::json&)> take;
  };

  static nlohmann::json JsonOf(const std::filesystem::path& path) { return path.string(); }
  static nlohmann::json JsonOf(const std::vector<std::filesystem::path>& paths);
  template <typename Value>
  static nlohmann::json JsonOf(const Value& value) {
    return value;
  }
  static void Read(const nlohmann::json& json, std::filesystem::path& path) { path = json.get<std::string>(); }
  static void Read(const nlohmann::json& json, std::vector<std::filesystem::path>& paths);
  template <typename Value>
  static void Read(const nlohmann::json& json, Value& value) {
    json.get_to(value);
  }
  void Remember(OnResume on_resume, const std::string& name, Access access);

  CLI::App& app_;
  std::string group_;
  std::map<std::string, Access> values_;
  std::set<std::string> may_change_;
};

}  // namespace gan::run
