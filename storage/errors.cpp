#include "storage/errors.h"

#include <system_error>

namespace gan {

DataError::DataError(const std::filesystem::path& file, const std::string& what)
    : std::runtime_error(file.string() + ": " + what) {}

DataError::DataError(const std::filesystem::path& file, std::uint64_t offset, const std::string& what)
    : std::runtime_error(file.string() + " at byte " + std::to_string(offset) + ": " + what) {}

IoError::IoError(const std::filesystem::path& file, const std::string& operation, int error_number)
    : std::runtime_error(operation + " " + file.string() + ": " + std::generic_category().message(error_number)),
      error_number_(error_number) {}

}  // namespace gan
