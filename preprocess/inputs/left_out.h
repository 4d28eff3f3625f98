// What lies beside the pictures: every file that is no input is counted by its kind, so that nothing vanishes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gan::preprocess {

// Not thread-safe.
class LeftOut {
 public:
  struct Kind {
    std::uint64_t files = 0;
    std::vector<std::string> examples;  // the first three by name
  };

  // `kind`: "hidden", "pipe", ... A hostile tree may have any number of kinds: beyond a thousand they are one.
  void Count(std::string_view kind, std::string_view name);
  // By its extension in lower case: ".txt"; "no extension".
  void CountByExtension(std::string_view name);

  const std::map<std::string, Kind, std::less<>>& kinds() const { return kinds_; }
  std::uint64_t files() const { return files_; }
  // "3 .txt (a.txt, b.txt, c.txt), 1 hidden (.DS_Store)"; empty when there are none.
  std::string Words() const;

 private:
  std::map<std::string, Kind, std::less<>> kinds_;
  std::uint64_t files_ = 0;
};

inline constexpr std::string_view kHidden = "hidden";
inline constexpr std::string_view kOwnOutput = "written by gan-preprocess";

// Whether a file or folder of this name is none of the user's pictures: ".ipynb_checkpoints", "._x.jpg", "__MACOSX".
bool IsHiddenName(std::string_view component);
// The same for any part of a path.
bool HasHiddenPart(std::string_view path);

}  // namespace gan::preprocess
