// The two kinds of failure that every tool knows how to report; cli/main.h maps them to exit codes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace gan {

// The user asked for something that cannot be: a bad flag, a wrong world size, options that clash. Exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A file is not what it must be: torn, damaged, of another version, unreadable. Exit code 3.
// The message names the file and, where one byte is to blame, its offset.
class DataError : public std::runtime_error {
 public:
  DataError(const std::filesystem::path& file, const std::string& what);
  DataError(const std::filesystem::path& file, std::uint64_t offset, const std::string& what);
};

// The system refused: disk full, permission, a failed fsync. Exit code 1. The message ends in strerror's words.
class IoError : public std::runtime_error {
 public:
  IoError(const std::filesystem::path& file, const std::string& operation, int error_number);
  int error_number() const { return error_number_; }

 private:
  int error_number_;
};

}  // namespace gan
