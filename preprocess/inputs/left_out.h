// Counts every file that is not an input by its kind, so that none is missing from the summary.
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

  // `kind`: "hidden", "pipe", ... All kinds beyond a thousand are counted as one, because a hostile tree may have any
  // number.
  void Count(std::string_view kind, std::string_view name);
  // Counts by the file's extension in lower case: ".txt"; "no extension".
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

// Whether a file or folder of this name is certainly not a picture of the user: ".ipynb_checkpoints", "._x.jpg",
// "__MACOSX".
bool IsHiddenName(std::string_view component);
// Whether this is true of any part of a path.
bool HasHiddenPart(std::string_view path);

}  // namespace gan::preprocess
