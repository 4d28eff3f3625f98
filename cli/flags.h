// Declares flags in the same way for every program: choices from a table, rarely needed flags, metrics.
#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/choice.h"

namespace gan::cli {

// The heading of flags that only --help-all shows: those for studies, tests and special machines. `what` names their
// subject, for example "losses".
std::string RareGroup(const std::string& what);
bool IsRare(const std::string& group);

// The flag keeps working, but neither --help nor --help-all shows it. For old names of flags that were renamed.
void Hide(CLI::Option* option);

// The flag's value is secret: --print-config leaves it out, and HideSecrets() removes it from the list of processes.
CLI::Option* MarkSecret(CLI::Option* option);
bool IsSecret(const std::string& name);  // "--alert-webhook"
// Overwrites the values of secret flags in argv, which other users can read. Call it when they have been parsed. Until
// then, and in the command lines of other programs such as mpirun, they stay visible.
void HideSecrets(int argc, char** argv);

// Declares --name WORD, where WORD is one of the names in `table`, ignoring case. The table must outlive the parse. The
// help text ends with one line per row.
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

// Declares one text flag. Each program decides how it stores the flag.
using AddText = std::function<CLI::Option*(const std::string& name, std::string& value, const std::string& help)>;

// --metrics-port, --metrics-address and --metrics-password-file.
struct MetricsFlags {
  std::string& port;  // a port number, 0 or "off"; read by MetricsPort
  std::string& address;
  std::string& password_file;
};
void AddMetricsFlags(const AddText& add, MetricsFlags flags);
// Declares the address and the password file of a program with one server: --address and --password-file.
void AddAddressFlags(const AddText& add, const std::string& prefix, std::string& address, std::string& password_file);

// The port number in `text`, the value of --metrics-port; -1 for "off". Throws UsageError for any other text.
int MetricsPort(const std::string& text);

}  // namespace gan::cli
