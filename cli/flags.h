// How a flag is declared, in every program: choices from a table, flags that are rarely needed, metrics.
#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/choice.h"

namespace gan::cli {

// The heading of flags that --help leaves out and --help-all shows: those for studies, tests and special machines.
// `what` says what they are about, for example "losses".
std::string RareGroup(const std::string& what);
bool IsRare(const std::string& group);

// Keeps working, but neither --help nor --help-all shows it: an old name of something else.
void Hide(CLI::Option* option);

// --name WORD, where WORD is one of the names in `table`, which must outlive the parse; upper and lower case are the
// same. The help text ends with one line per row.
template <typename Target, typename Table>
CLI::Option* AddChoice(CLI::App& app, const std::string& name, Target& target, const Table& table,
                       const std::string& help) {
  using Value = decltype(std::begin(table)->value);
  const auto take = [&target, &table](const std::string& word) { target = Target(ValueOf(word, table)); };
  const auto check = [&table](const std::string& word) {
    return Find(word, table) != nullptr ? std::string() : "\"" + word + "\" is not one of " + Names(table);
  };
  CLI::Option* option = app.add_option_function<std::string>(name, take, help + Explanations(table));
  option->check(CLI::Validator(check, "{" + Names(table, ",") + "}"));
  return option->default_str(std::string(NameOf(Value(target), table)));
}

// Declares one text flag; how the program keeps it is its own affair.
using AddText = std::function<CLI::Option*(const std::string& name, std::string& value, const std::string& help)>;

// --metrics-port, --metrics-address and --metrics-password-file.
struct MetricsFlags {
  std::string& port;  // a port, 0 or "off": MetricsPort reads it
  std::string& address;
  std::string& password_file;
};
void AddMetricsFlags(const AddText& add, MetricsFlags flags);
// The same address and password file for a program with one server: --address and --password-file.
void AddAddressFlags(const AddText& add, const std::string& prefix, std::string& address, std::string& password_file);

// The port that `text`, the value of --metrics-port, names; -1 for "off". Throws UsageError.
int MetricsPort(const std::string& text);

}  // namespace gan::cli
