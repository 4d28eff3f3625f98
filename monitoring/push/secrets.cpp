#include "monitoring/push/secrets.h"

#include <cstdlib>
#include <sstream>

#include "storage/errors.h"
#include "storage/files.h"

namespace gan::monitoring {

namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{64} << 10;

std::string ReadSecretFile(const std::string& file, const std::string& flag) {
  try {
    return storage::ReadFile(file, kLargestFile);
  } catch (const std::exception& error) {
    throw UsageError(flag + ": " + error.what());
  }
}

}  // namespace

std::vector<std::string> ReadSecret(const std::string& value, const char* variable, const std::string& flag) {
  const char* from_environment = std::getenv(variable);
  // The flag has priority over the environment, and either may name a file.
  std::string text = !value.empty() ? value : from_environment != nullptr ? from_environment : "";
  const bool is_file = text.starts_with('@');
  if (is_file) text = ReadSecretFile(text.substr(1), flag);
  std::vector<std::string> lines;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) {
    // Files that were edited on Windows end lines with it, and in a header it would be invalid.
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
  }
  if (is_file && lines.empty()) throw UsageError(flag + ": the file it names is empty");
  return lines;
}

}  // namespace gan::monitoring
