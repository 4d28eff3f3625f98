#include "launcher/programs.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "storage/errors.h"

namespace gan::launch {

namespace fs = std::filesystem;

namespace {

// A folder can be executable as well.
bool IsProgram(const fs::path& file) {
  std::error_code error;
  return fs::is_regular_file(file, error) && ::access(file.c_str(), X_OK) == 0;
}

// Searches PATH like execvp: an empty entry means the current folder.
bool CanBeStarted(const std::string& name) {
  if (name.find('/') != std::string::npos) return IsProgram(name);
  const char* path = std::getenv("PATH");
  // execvp() searches these two where PATH is not set.
  std::istringstream folders(path == nullptr ? "/bin:/usr/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (IsProgram(fs::path(folder.empty() ? "." : folder) / name)) return true;
  }
  return false;
}

}  // namespace

// A job thus runs the programs of the same build as gan-launch, even if PATH leads to another build.
std::string BesideThisProgram(const std::string& name) {
  // A name with a slash is a path that the user has chosen.
  if (name.find('/') != std::string::npos) return name;
  std::error_code error;
  const fs::path beside = fs::read_symlink("/proc/self/exe", error).parent_path() / name;
  return !error && ::access(beside.c_str(), X_OK) == 0 ? beside.string() : name;
}

void RequirePrograms(const LaunchOptions& options) {
  if (!CanBeStarted(options.launcher)) {
    throw UsageError(options.launcher + " is not in PATH; install it or load the cluster's module");
  }
  const std::string& program = options.program.front();
  // On other hosts the program may be in folders that cannot be checked from here.
  if (!OnThisHostAlone(options) || CanBeStarted(BesideThisProgram(program))) return;
  throw UsageError("the program " + program + " after -- is neither in the folder of gan-launch nor in PATH");
}

}  // namespace gan::launch
