// One declaration per flag defines how it is parsed, its name in a checkpoint, and whether a resumed run may change it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/flags.h"

namespace gan::run {

enum class OnResume : std::uint8_t {
  kFixed,     // affects the result of training: a change during a run would make it irreproducible
  kMayChange  // paths, length, intervals, machine
};

class Flags {
 public:
  // `app` must outlive this object, and the variables that flags are added for must outlive `app`.
  explicit Flags(CLI::App& app) : app_(app) {}

  // Sets the heading in --help for the flags that follow.
  void Group(const std::string& name) { group_ = name; }
  // Sets the heading for the flags that follow, which only --help-all shows.
  void RareGroup(const std::string& what) { group_ = cli::RareGroup(what); }

  // --name VALUE: a number, a text, a path or several paths.
  template <typename Value>
  CLI::Option* Add(OnResume on_resume, const std::string& name, Value& value, const std::string& help) {
    Remember(on_resume, name, {[&value] { return JsonOf(value); }, [&value](const auto& json) { Read(json, value); }});
    CLI::Option* option = app_.add_option(name, value, help)->group(group_);
    if constexpr (std::is_arithmetic_v<Value>) return option->capture_default_str();
    RequireUtf8(*option);
    if (JsonOf(value) != "" && !JsonOf(value).is_array()) option->capture_default_str();
    return option;
  }

  // --name VALUE, which is secret: neither options.json nor a checkpoint keeps it, so a resumed run needs it again.
  CLI::Option* AddSecret(const std::string& name, std::string& value, const std::string& help) {
    return cli::MarkSecret(app_.add_option(name, value, help)->group(group_));
  }

  // Declares --name and --no-name. The latter overrides a configuration file.
  CLI::Option* AddSwitch(OnResume on_resume, const std::string& name, bool& value, const std::string& help) {
    Remember(on_resume, name,
             {[&value] { return nlohmann::json(value); }, [&value](const auto& json) { Read(json, value); }});
    return app_.add_flag(name + ",!--no-" + name.substr(2), value, help)->group(group_);
  }

  // Declares --name WORD, where WORD is a name in `table`, which must outlive the flags.
  template <typename Target, typename Table>
  CLI::Option* AddChoice(OnResume on_resume, const std::string& name, Target& target, const Table& table,
                         const std::string& help) {
    using Value = decltype(std::begin(table)->value);
    Remember(on_resume, name,
             {[&target, &table] { return nlohmann::json(std::string(cli::NameOf(Value(target), table))); },
              [&target, &table](const auto& json) {
                target = Target(cli::ValueOf(json.template get<std::string>(), table));
              }});
    return cli::AddChoice(app_, name, target, table, help)->group(group_);
  }

  // --name N or auto. `value` is TrainOptions::kAutomatic for auto, which is also the word for it in JSON.
  CLI::Option* AddNumberOrAuto(OnResume on_resume, const std::string& name, std::uint64_t& value,
                               const std::string& help);

  // The current values of the flags, by their names with "_" in place of "-".
  nlohmann::json ToJson() const;
  const std::set<std::string>& may_change() const { return may_change_; }
  // Sets the flag `name`, as spelled by ToJson, to a value that ToJson has returned. Throws nlohmann::json::exception,
  // std::out_of_range or UsageError when the flag does not accept the value.
  void Set(const std::string& name, const nlohmann::json& value) { values_.at(name).set(value); }

 private:
  struct Access {
    std::function<nlohmann::json()> get;
    std::function<void(const nlohmann::json&)> set;
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
  // JSON files keep the values, and JSON has no bytes that are not UTF-8.
  static void RequireUtf8(CLI::Option& option);

  CLI::App& app_;
  std::string group_;
  std::map<std::string, Access> values_;
  std::set<std::string> may_change_;
};

}  // namespace gan::run
