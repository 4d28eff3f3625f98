#include "storage/warnings.h"

#include <iostream>
#include <mutex>
#include <set>
#include <utility>

namespace gan::storage {

namespace {

struct Warnings {
  std::mutex mutex;
  std::set<std::string> logged;  // guarded by mutex
  std::function<void(const std::string&)> sink = [](const std::string& text) {
    std::cerr << "warning: " + text + "\n";
  };
};

// Never destroyed, because files are closed and locks released until the very end of the process.
Warnings& All() {
  static Warnings& all = *new Warnings;
  return all;
}

}  // namespace

void SetWarningSink(std::function<void(const std::string&)> sink) {
  const std::lock_guard lock(All().mutex);
  All().sink = std::move(sink);
}

void WarnOnce(const std::string& topic, const std::string& text) {
  const std::lock_guard lock(All().mutex);
  // By topic and not by text, because the texts name files, and a folder of thousands of them would warn thousands of
  // times.
  if (All().logged.insert(topic).second) All().sink(text);
}

}  // namespace gan::storage
