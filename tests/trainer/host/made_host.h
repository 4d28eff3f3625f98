// A file system in which only those files exist that a test has written.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace gan::host {

class MadeHost : public testing::Test {
 protected:
  ~MadeHost() override { std::filesystem::remove_all(root_); }

  void Write(const std::filesystem::path& file, const std::string& text) {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text << "\n";
  }

  const std::filesystem::path root_ =
      std::filesystem::temp_directory_path() / ("equipoise-host-" + std::to_string(::getpid()));
};

}  // namespace gan::host
