#include "launcher/command_output.h"

#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <regex>

#include "storage/errors.h"

namespace gan::launch {

namespace {

// Quotes a command for the shell that popen() uses. Between single quotes the shell expands nothing.
std::string Quoted(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& argument : command) {
    text += (text.empty() ? "'" : " '") + std::regex_replace(argument, std::regex("'"), "'\\''") + "'";
  }
  return text;
}

}  // namespace

CommandOutput RunCommand(const std::vector<std::string>& command) {
  // One pipe takes both streams: with two, the program would block as soon as the one that is not being read is full.
  const std::string line = Quoted(command) + " 2>&1 </dev/null";
  // The pipe is closed with pclose below, whose result is the exit status; the deleter does nothing.
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(line.c_str(), "r"), [](FILE*) { return 0; });
  if (!pipe) throw IoError(command.front(), "start", errno);
  CommandOutput output;
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) {
    output.text.append(buffer.data(), n);
  }
  const int status = ::pclose(pipe.get());
  output.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  return output;
}

}  // namespace gan::launch
