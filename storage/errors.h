// The kinds of failure that every program can report. cli/main.h maps them to exit codes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace gan {

// The user's request is impossible: an invalid flag, a wrong world size, conflicting options. Exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A file has the wrong content: it is truncated, damaged, of another version, or unreadable. Exit code 3. The message
// names the file and, where one byte causes the error, its offset.
class DataError : public std::runtime_error {
 public:
  DataError(const std::filesystem::path& file, const std::string& what);
  DataError(const std::filesystem::path& file, std::uint64_t offset, const std::string& what);
};

// A system call failed: disk full, no permission, a failed fsync. Exit code 1. The message ends with the text of
// strerror.
class IoError : public std::runtime_error {
 public:
  IoError(const std::filesystem::path& file, const std::string& operation, int error_number);
  int error_number() const { return error_number_; }

 private:
  int error_number_;
};

}  // namespace gan
