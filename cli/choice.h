// One table per enumeration lists the name and the meaning of every value. Parsing, help texts and checks all read the
// table, so they cannot disagree. This header needs no library; cli/flags.h turns a table into a flag.
#pragma once

#include <algorithm>
#include <cctype>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include "storage/errors.h"

namespace gan::cli {

template <typename Value>
struct Choice {
  Value value;
  std::string_view name;   // as users write it
  std::string_view words;  // the meaning of the value, for --help; empty when the name is enough
};

// A row whose value is its own name, for options that are stored as text.
constexpr Choice<std::string_view> Word(std::string_view name, std::string_view words) { return {name, name, words}; }

// A table is an array or std::array of choices. Throws std::logic_error when it lacks a row for `value`.
template <typename Value, typename Table>
std::string_view NameOf(const Value& value, const Table& table) {
  for (const auto& choice : table) {
    if (choice.value == value) return choice.name;
  }
  throw std::logic_error("a value without a name");
}

// The names in the order of the table, with `separator` between them.
template <typename Table>
std::string Names(const Table& table, std::string_view separator = ", ") {
  std::string names;
  for (const auto& choice : table) {
    if (!names.empty()) names += separator;
    names += choice.name;
  }
  return names;
}

// One line per row, "name: words."
template <typename Table>
std::string Explanations(const Table& table) {
  std::string lines;
  for (const auto& choice : table) {
    if (choice.words.empty()) continue;
    lines += "\n" + std::string(choice.name) + ": " + std::string(choice.words) + ".";
  }
  return lines;
}

// The row with this name, ignoring case, or nullptr.
template <typename Table>
auto Find(std::string_view name, const Table& table) -> decltype(&*std::begin(table)) {
  const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  for (const auto& choice : table) {
    if (std::equal(name.begin(), name.end(), choice.name.begin(), choice.name.end(), same)) return &choice;
  }
  return nullptr;
}

// Throws UsageError listing the valid names.
template <typename Table>
auto ValueOf(std::string_view name, const Table& table) {
  const auto* choice = Find(name, table);
  if (choice == nullptr) throw UsageError("\"" + std::string(name) + "\" is not one of " + Names(table));
  return choice->value;
}

}  // namespace gan::cli
