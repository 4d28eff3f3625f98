// Flags whose value is one of a few words.
#pragma once

#include <map>
#include <stdexcept>
#include <string>

#include <CLI/CLI.hpp>

namespace gan::run {

template <typename Choice>
std::string NameOf(Choice choice, const std::map<std::string, Choice>& names) {
  for (const auto& [name, value] : names) {
    if (value == choice) return name;
  }
  throw std::logic_error("a choice without a name");
}

template <typename Choice>
void AddChoice(CLI::App& app, const std::string& group, const std::string& flag, Choice& choice,
               const std::map<std::string, Choice>& names, const std::string& help) {
  std::string all;
  for (const auto& item : names) all += (all.empty() ? "" : ",") + item.first;
  app.add_option(flag, choice, help)
      ->transform(CLI::CheckedTransformer(names, CLI::ignore_case).description("{" + all + "}"))
      ->group(group)
      ->default_str(NameOf(choice, names));
}

}  // namespace gan::run
